#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/columns/row_kind.h"

namespace slipstream::sql {

// What a decoder made of some records.
struct DecodedRows {
  struct Failure {
    uint32_t record = 0;
    std::string message;
  };

  Batch batch;                    // one column for each field
  std::vector<uint32_t> origins;  // of each row: the index of its record, ascending
  std::vector<RowKind> kinds;     // of each row; empty: all are new
  std::vector<Failure> failures;  // records that gave no row because they are bad, ascending
  uint64_t skipped = 0;           // bad records that the options say to ignore
  // Why nothing could be read, through no fault of the records (kUnavailable: a registry that does
  // not answer); the rows are void.
  Status error;
};

// RecordDecoder: records of one format into columns.
// Ownership   the rows' strings live as long as the batch that is given.
// Threads     one at a time.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // At most 2^31 bytes together. A nullopt record is a tombstone.
  virtual DecodedRows Decode(std::span<const std::optional<std::string_view>> records) = 0;
};

}  // namespace slipstream::sql
