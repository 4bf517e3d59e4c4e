#pragma once

#include <cstdint>
#include <string>

#include "common/status/status.h"
#include "processor/formats/avro_schema.h"

namespace slipstream::sql {

// How a registry is reached.
struct RegistryAddress {
  std::string url;           // "http://host:port/path" or https; several, separated by commas
  std::string user_info;     // "user:password", for basic authentication; empty: none
  std::string bearer_token;  // in its stead; empty: none
  // Files for https, PEM or PKCS #12, with their passwords; empty: the machine's authorities, and
  // no certificate of one's own.
  std::string truststore;
  std::string truststore_password;
  std::string keystore;
  std::string keystore_password;
};

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
