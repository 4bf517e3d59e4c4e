#pragma once

#include <cstdint>
#include <string>

#include "common/status/status.h"
#include "processor/formats/avro_schema.h"

namespace slipstream::sql {

// SchemaRegistry: where writers leave the schemas of their records, each under a number; as
// Confluent's REST API has it.
// Blocking  every call, unless the answer is known already.
// Threads   thread-safe.
// Errors    kNotFound: no such schema; kInvalidArgument: not one of ours, or refused as
//           incompatible; kUnavailable: it does not answer.
class SchemaRegistry {
 public:
  virtual ~SchemaRegistry() = default;
  virtual Result<AvroSchemaPtr> SchemaOf(int32_t id) = 0;
  // The number of the schema (as JSON) among those of `subject`; a new one if it is new.
  virtual Result<int32_t> Register(const std::string& subject, const std::string& schema) = 0;
};

}  // namespace slipstream::sql
