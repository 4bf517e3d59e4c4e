#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {

// FieldGenerator: the values of one field of 'datagen' rows. Threads: one at a time.
class FieldGenerator {
 public:
  virtual ~FieldGenerator() = default;
  // Appends the value of the row number `row`. `now_us`: the time of the batch.
  virtual void Append(
      uint64_t row, int64_t now_us, std::mt19937_64& random, Arena& arena, Column& to) const = 0;
};

// Characters, bytes or elements of one value at most.
inline constexpr int64_t kGeneratedLengthMax = 1'000'000;

// Reads the options "fields.<name>.…" of one field. `row_count`: lowered to what a sequence has.
// Errors: kInvalidArgument.
Result<std::unique_ptr<FieldGenerator>> MakeFieldGenerator(OptionReader& options,
                                                           const std::string& prefix,
                                                           const DataType& type,
                                                           std::optional<uint64_t>& row_count);

}  // namespace slipstream::sql
