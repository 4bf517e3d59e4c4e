#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/avro_decoder.h"
#include "processor/formats/csv_options.h"
#include "processor/formats/debezium_decoder.h"
#include "processor/formats/json_options.h"
#include "processor/formats/record_decoder.h"
#include "processor/formats/row_encoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// How a record's key or value, or a line of a file, is written.
struct ValueFormat {
  enum class Kind : uint8_t { kJson, kRaw, kCsv, kDebeziumJson, kAvro, kAvroConfluent };

  Kind kind = Kind::kJson;
  JsonOptions json;
  CsvOptions csv;
  DebeziumOptions debezium;
  AvroOptions avro;
};

// The fields that a record has, in order, and those of them that are read.
struct RecordFields {
  Schema all;
  std::vector<size_t> wanted;  // in the order of the columns they become
};

// A decoder and an encoder of the format. Errors: kInvalidArgument, kUnimplemented (a column whose
// type the format cannot have).
Result<std::unique_ptr<RecordDecoder>> MakeDecoder(const RecordFields& fields,
                                                   const ValueFormat& format);
// Encodes the columns at `positions` of a batch under the names of `fields`.
Result<std::unique_ptr<RowEncoder>> MakeEncoder(const Schema& fields,
                                                std::vector<size_t> positions,
                                                const ValueFormat& format);

}  // namespace slipstream::sql
