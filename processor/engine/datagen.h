#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/field_generator.h"
#include "processor/engine/scan_layout.h"
#include "processor/formats/record_decoder.h"

namespace slipstream::sql {

// RowGenerator: the rows of a 'datagen' table: random ones and sequences, the same for the same
// seed. A decoder of records that hold nothing: each becomes the next row.
//
// Options     Flink's: rows-per-second, number-of-rows, and for each field fields.<name>.kind
//             (random, sequence), .min, .max, .max-past, .length, .var-len, .null-rate, .start and
//             .end; likewise for the fields of a ROW, .element of an ARRAY, .key and .value of a
//             MAP.
// Errors      kInvalidArgument, kUnimplemented: messages begin with the table's name.
// Threads     one at a time.
class RowGenerator final : public RecordDecoder {
 public:
  // Makes the columns that `layout` decodes; checks the options of all columns.
  static Result<std::unique_ptr<RowGenerator>> Create(const ScanLayout& layout, uint64_t seed);

  int64_t rows_per_second() const { return rows_per_second_; }
  // It ends then; nullopt: never.
  const std::optional<uint64_t>& row_count() const { return row_count_; }
  // The time that rows to come are given.
  void SetNow(int64_t now_us) { now_us_ = now_us; }

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) override;

 private:
  explicit RowGenerator(uint64_t seed) : random_(seed) {}

  Schema fields_;
  std::vector<std::unique_ptr<FieldGenerator>> generators_;  // of the fields
  int64_t rows_per_second_ = 0;
  std::optional<uint64_t> row_count_;
  std::mt19937_64 random_;
  int64_t now_us_ = 0;
  uint64_t next_row_ = 0;
};

}  // namespace slipstream::sql
