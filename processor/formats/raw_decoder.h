#pragma once

#include <memory>

#include "common/status/status.h"
#include "processor/formats/record_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// RawDecoder: 'format' = 'raw': a record's bytes are the value of the one column, which is text or
// bytes; a tombstone is a row with NULL.
// Errors  text that is not UTF-8 is a failure.
class RawDecoder final : public RecordDecoder {
 public:
  // kInvalidArgument: not one column of text or bytes.
  static Result<std::unique_ptr<RawDecoder>> Create(Schema fields);

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) override;

 private:
  explicit RawDecoder(Schema fields) : fields_(std::move(fields)) {}

  const Schema fields_;  // one field, or none where nobody reads it
};

}  // namespace slipstream::sql
