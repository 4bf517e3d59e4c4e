#include "processor/formats/avro_decoder.h"

#include <algorithm>
#include <utility>

#include "processor/formats/avro_value.h"

namespace slipstream::sql {
namespace {

constexpr size_t kFrameBytes = 5;
// More schemas of one topic than anybody has; what is known is forgotten beyond.
constexpr size_t kPlansMax = 1'000;

}  // namespace

Result<std::unique_ptr<AvroDecoder>> AvroDecoder::Create(Schema fields,
                                                         std::vector<size_t> wanted,
                                                         AvroOptions options) {
  ASSIGN_OR_RETURN(const std::string schema, AvroSchemaOf(fields));
  Schema columns;
  for (const size_t field : wanted)
    columns.push_back(fields[field]);
  const bool has_registry = options.registry != nullptr;
  std::unique_ptr<AvroDecoder> decoder(new AvroDecoder(std::move(columns), std::move(options)));
  if (!has_registry) {
    ASSIGN_OR_RETURN(AvroSchemaPtr own, ParseAvroSchema(schema));
    ASSIGN_OR_RETURN(decoder->own_, decoder->PlanOf(std::move(own)));
  }
  return decoder;
}

Result<AvroDecoder::Plan> AvroDecoder::PlanOf(AvroSchemaPtr schema) const {
  if (schema->kind != AvroSchema::Kind::kRecord) {
    return InvalidArgument("an Avro " + std::string(NameOf(schema->kind)) + " is not a row");
  }
  Plan plan;
  std::vector<bool> is_taken(columns().size(), false);
  for (const std::string& name : schema->names) {
    int32_t place = -1;
    for (size_t i = 0; i < columns().size(); ++i) {
      if (columns()[i].name != name || is_taken[i]) continue;
      place = static_cast<int32_t>(i);
      is_taken[i] = true;
      break;
    }
    plan.columns.push_back(place);
  }
  plan.schema = std::move(schema);
  return plan;
}

Result<const AvroDecoder::Plan*> AvroDecoder::FramedPlan(std::string_view& record) {
  if (record.size() < kFrameBytes || record[0] != 0) {
    return InvalidArgument("not Avro in Confluent's framing");
  }
  uint32_t id = 0;
  for (size_t i = 1; i < kFrameBytes; ++i)
    id = (id << 8) | static_cast<uint8_t>(record[i]);
  record.remove_prefix(kFrameBytes);
  const auto number = static_cast<int32_t>(id);
  const auto known = plans_.find(number);
  if (known != plans_.end()) return &known->second;
  Result<AvroSchemaPtr> schema = options_.registry->SchemaOf(number);
  if (!schema.ok()) return schema.status().WithContext("schema " + std::to_string(number));
  ASSIGN_OR_RETURN(Plan plan, PlanOf(*std::move(schema)));
  if (plans_.size() >= kPlansMax) plans_.clear();
  return &plans_.emplace(number, std::move(plan)).first->second;
}

Status AvroDecoder::DecodeRecord(std::string_view record, Batch& batch, Arena& arena) {
  const Plan* plan = &own_;
  if (options_.registry != nullptr) {
    ASSIGN_OR_RETURN(plan, FramedPlan(record));
  }
  AvroReader reader(arena.Copy(record), arena);
  for (size_t i = 0; i < plan->columns.size(); ++i) {
    const AvroSchema& schema = *plan->schema->children[i];
    const int32_t place = plan->columns[i];
    const Status status =
        place < 0 ? reader.Skip(schema)
                  : reader.Read(schema, batch.rows, batch.columns[static_cast<size_t>(place)]);
    if (!status.ok()) return status.WithContext("field " + plan->schema->names[i]);
  }
  return reader.is_at_end() ? Status() : InvalidArgument("not Avro: more bytes behind the record");
}

}  // namespace slipstream::sql
