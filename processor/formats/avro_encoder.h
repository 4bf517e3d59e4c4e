#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/avro_decoder.h"
#include "processor/formats/row_encoder.h"

namespace slipstream::sql {

// AvroEncoder: rows in Avro's binary encoding, by the schema that AvroSchemaOf derives; with a
// registry in Confluent's framing, under the number it gave the schema when the encoder was made.
class AvroEncoder final : public RowEncoder {
 public:
  // Encodes the columns at `positions` of a batch. Errors: kUnimplemented (a type), the registry's.
  // Blocking: registers the schema.
  static Result<std::unique_ptr<RowEncoder>> Create(const Schema& fields,
                                                    std::vector<size_t> positions,
                                                    const AvroOptions& options);

  bool Encode(const Batch& batch, size_t row, std::string& to) const override;

 private:
  AvroEncoder(Schema fields, std::vector<size_t> positions, std::string frame)
      : fields_(std::move(fields)), positions_(std::move(positions)), frame_(std::move(frame)) {}

  const Schema fields_;
  const std::vector<size_t> positions_;
  const std::string frame_;  // before every record; empty: nothing
};

}  // namespace slipstream::sql
