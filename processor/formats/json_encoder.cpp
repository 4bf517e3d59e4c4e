#include "processor/formats/json_encoder.h"

#include <utility>

#include "processor/columns/json_text.h"

namespace slipstream::sql {

JsonEncoder::JsonEncoder(const Schema& fields, std::vector<size_t> positions, JsonOptions options)
    : positions_(std::move(positions)), options_(options) {
  for (const Field& field : fields) {
    std::string& key = keys_.emplace_back();
    AppendJsonText(field.name, key);
    key.push_back(':');
  }
}

bool JsonEncoder::Encode(const Batch& batch, size_t row, std::string& to) const {
  const bool is_sql = options_.timestamp_format == JsonOptions::TimestampFormat::kSql;
  to.push_back('{');
  bool is_first = true;
  for (size_t i = 0; i < keys_.size(); ++i) {
    const Column& column = batch.columns[positions_[i]];
    if (options_.ignore_null_fields && column.is_null(row)) continue;
    if (!is_first) to.push_back(',');
    is_first = false;
    to += keys_[i];
    AppendJsonValue(column, row, is_sql ? ' ' : 'T', to);
  }
  to.push_back('}');
  return true;
}

}  // namespace slipstream::sql
