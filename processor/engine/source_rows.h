#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/graph_run.h"
#include "processor/engine/scan_layout.h"
#include "processor/formats/record_decoder.h"
#include "processor/operators/row_batch.h"

namespace slipstream::sql {

// SourceRows: from the records of a source to the rows of its scans: decodes, adds metadata and
// computed columns, takes out the records that fail, finds the watermark.
//
// Ownership  borrows the layout, which must outlive it.
// Threads    one at a time.
class SourceRows {
 public:
  // Appends the columns of PARTITIONED BY and METADATA to `batch`, in the layout's order, for rows
  // that came from the records `origins`.
  using FillColumns = std::function<void(const std::vector<uint32_t>& origins, Batch& batch)>;

  struct Rows {
    RowBatch rows;  // columns in the layout's order; origins are numbers of records
    std::vector<DecodedRows::Failure> failures;  // in the order of their records
    uint64_t skipped = 0;                        // records that the format's options say to ignore
    std::vector<int64_t> watermarks;             // of each row; empty without a watermark
    Status error;                                // see DecodedRows
  };

  using Payloads = std::span<const std::optional<std::string_view>>;

  // `key_format` matters where the layout reads keys.
  static Result<std::unique_ptr<SourceRows>> Create(const ScanLayout& layout,
                                                    const ValueFormat& value_format,
                                                    const ValueFormat& key_format = {});

  // Over a decoder of the values; keys are not read.
  static std::unique_ptr<SourceRows> Of(const ScanLayout& layout,
                                        std::unique_ptr<RecordDecoder> decoder);

  // Whether Read is to be given the records' keys.
  bool reads_keys() const { return key_decoder_ != nullptr; }
  // A record whose event time is NULL, or one of whose rows fails, is a failure and gives no row.
  // Columns of a key that is missing are NULL. `now_us`: processing time, which computed columns
  // may ask for.
  Rows Read(Payloads values, Payloads keys, int64_t now_us, const FillColumns& fill);

 private:
  SourceRows(const ScanLayout& layout,
             std::unique_ptr<RecordDecoder> decoder,
             std::unique_ptr<RecordDecoder> key_decoder);

  // Puts a row without values in for every record without one.
  static void AddDeletes(Payloads values, Rows& rows);
  // Decodes the keys of the rows' records and puts their columns behind the values'.
  void AddKeys(Payloads keys, Rows& rows);

  void AddComputed(Rows& rows, RowErrors& errors);
  void AddWatermarks(Rows& rows, RowErrors& errors);
  static void TakeOut(const RowErrors& errors, Rows& rows);

  const ScanLayout& layout_;
  const std::unique_ptr<RecordDecoder> decoder_;
  const std::unique_ptr<RecordDecoder> key_decoder_;  // null: nothing of keys is read
};

// Gives the rows of a source to every scan of a graph, in the scans' own column order.
// `layout` made the rows. Scans of other tables are passed over.
Status PushToScans(const OperatorGraph& graph,
                   const ScanLayout& layout,
                   RowBatch rows,
                   GraphRun& run);

}  // namespace slipstream::sql
