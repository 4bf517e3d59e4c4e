#include "processor/formats/avro_encoder.h"

#include <utility>

#include "processor/formats/avro_value.h"

namespace slipstream::sql {

Result<std::unique_ptr<RowEncoder>> AvroEncoder::Create(const Schema& fields,
                                                        std::vector<size_t> positions,
                                                        const AvroOptions& options) {
  ASSIGN_OR_RETURN(const std::string schema, AvroSchemaOf(fields));
  std::string frame;
  if (options.registry != nullptr) {
    Result<int32_t> id = options.registry->Register(options.subject, schema);
    if (!id.ok()) return id.status().WithContext("register schema of subject " + options.subject);
    frame.push_back('\0');
    for (int shift = 24; shift >= 0; shift -= 8)
      frame.push_back(static_cast<char>((*id >> shift) & 0xFF));
  }
  return std::unique_ptr<RowEncoder>(
      new AvroEncoder(fields, std::move(positions), std::move(frame)));
}

bool AvroEncoder::Encode(const Batch& batch, size_t row, std::string& to) const {
  to += frame_;
  for (size_t i = 0; i < positions_.size(); ++i)
    AppendAvroValue(batch.columns[positions_[i]], fields_[i].type, row, to);
  return true;
}

}  // namespace slipstream::sql
