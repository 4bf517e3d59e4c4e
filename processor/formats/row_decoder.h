#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "common/status/status.h"
#include "processor/formats/record_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// RowDecoder: the decoders of formats whose records are one row each, but for a record's fields:
// which records become rows, and what becomes of bad ones.
// Bounds      kRecordBytesMax: a longer record is a failure.
// Ownership   the rows' strings live in the arena that DecodeRecord is given, which
//             batch.keep_alive holds.
class RowDecoder : public RecordDecoder {
 public:
  static constexpr size_t kRecordBytesMax = 64 << 20;

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) final;

 protected:
  // With `ignore_parse_errors` bad records are counted as skipped; else each is a failure.
  RowDecoder(Schema columns, bool ignore_parse_errors)
      : columns_(std::move(columns)), ignore_parse_errors_(ignore_parse_errors) {}

  const Schema& columns() const { return columns_; }

 private:
  // Whether the record is a row, be it a bad one; it is passed over otherwise. No tombstone is.
  virtual bool IsRow(std::string_view) const { return true; }
  // Reads the record's fields into row `batch.rows`, for which there is room (column_rows.h); what
  // is not set is NULL. After an error the row is forgotten; kUnavailable ends the batch
  // (DecodedRows::error).
  virtual Status DecodeRecord(std::string_view record, Batch& batch, Arena& arena) = 0;

  const Schema columns_;
  const bool ignore_parse_errors_;
};

}  // namespace slipstream::sql
