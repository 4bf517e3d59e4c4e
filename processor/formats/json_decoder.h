#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/formats/json_options.h"
#include "processor/formats/record_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// JsonDecoder: records of JSON into columns; reads the wanted fields and no others.
//
// Input       a record is one object (a row), an array of objects (a row each), or empty (no row).
//             Unknown fields are ignored, a missing one is NULL, of one that stands there twice the
//             last counts. A number may be written as a string, a fraction is dropped where an
//             integer is wanted; numbers, booleans, objects and arrays become text where text is
//             wanted. Fields that are not wanted are checked for structure only.
// Bounds      record_bytes_max; nesting is never followed by recursion.
// Errors      a record that is no such JSON, is not UTF-8 or has a value that does not fit its
//             column is a failure, whole; with ignore_parse_errors such a value is NULL and such a
//             record is skipped, as in Flink.
// Ownership   the rows' strings live in a copy of the records that batch.keep_alive holds.
// Threads     one at a time.
class JsonDecoder final : public RecordDecoder {
 public:
  static constexpr size_t kRecordBytesMax = 64 << 20;

  // kUnimplemented: a column's type cannot be read from JSON.
  static Result<std::unique_ptr<JsonDecoder>> Create(Schema fields, JsonOptions options);
  ~JsonDecoder() override;
  JsonDecoder(const JsonDecoder&) = delete;
  JsonDecoder& operator=(const JsonDecoder&) = delete;

  // At most 2^31 bytes together. A nullopt record is a tombstone: no row.
  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) override;

 private:
  class Implementation;
  explicit JsonDecoder(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace slipstream::sql
