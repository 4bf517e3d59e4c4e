#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/avro_schema.h"
#include "processor/formats/row_decoder.h"
#include "processor/formats/schema_registry.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// The options of 'format' = 'avro' and 'avro-confluent'.
struct AvroOptions {
  // Where the schemas of records are (shared by decoders and encoders of all tasks); null: records
  // have the schema of the table's columns, as Flink derives it.
  std::shared_ptr<SchemaRegistry> registry;
  std::string subject;  // what is written is registered under
  bool ignore_parse_errors = false;
};

// AvroDecoder: one record of Avro's binary encoding for each row, in Confluent's framing (a zero
// byte and the schema's number, 4 bytes big-endian) where there is a registry. Fields are found by
// their names, whatever their order; those that are not wanted are passed over, those that are not
// there are NULL.
// Bounds      those of AvroReader, too.
// Errors      a record that is no such Avro, or whose schema nobody knows or does not fit the
//             columns, is a failure; DecodedRows::error if the registry does not answer.
class AvroDecoder final : public RowDecoder {
 public:
  static Result<std::unique_ptr<AvroDecoder>> Create(Schema fields,
                                                     std::vector<size_t> wanted,
                                                     AvroOptions options);

 private:
  // How the fields of a writer's record become columns.
  struct Plan {
    AvroSchemaPtr schema;
    std::vector<int32_t> columns;  // by field of the record; -1: it is passed over
  };

  AvroDecoder(Schema columns, AvroOptions options)
      : RowDecoder(std::move(columns), options.ignore_parse_errors), options_(std::move(options)) {}

  Result<Plan> PlanOf(AvroSchemaPtr schema) const;
  // The plan for a framed record, which loses its frame.
  Result<const Plan*> FramedPlan(std::string_view& record);
  Status DecodeRecord(std::string_view record, Batch& batch, Arena& arena) override;

  const AvroOptions options_;
  Plan own_;                       // without a registry
  std::map<int32_t, Plan> plans_;  // by number
};

}  // namespace slipstream::sql
