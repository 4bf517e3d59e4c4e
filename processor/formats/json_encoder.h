#pragma once

#include <string>
#include <vector>

#include "processor/columns/batch.h"
#include "processor/formats/json_options.h"
#include "processor/formats/row_encoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// JsonEncoder: rows as JSON objects on one line, without blanks, as Flink writes them: DOUBLE as
// Java prints it (NaN and infinities as strings), DECIMAL in plain digits, TIMESTAMP with as many
// digits of the fraction as it needs.
// Threads: immutable.
class JsonEncoder final : public RowEncoder {
 public:
  // Encodes the columns at `positions` of a batch under the names of `fields`.
  JsonEncoder(const Schema& fields, std::vector<size_t> positions, JsonOptions options);

  bool Encode(const Batch& batch, size_t row, std::string& to) const override;

 private:
  std::vector<size_t> positions_;
  std::vector<std::string> keys_;  // "name": with its quotes and colon
  JsonOptions options_;
};

}  // namespace slipstream::sql
