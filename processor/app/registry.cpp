#include "processor/app/registry.h"

#include "processor/connectors/http_schema_registry.h"

namespace slipstream::processor {

Result<std::shared_ptr<sql::SchemaRegistry>> OpenRegistry(const sql::RegistryAddress& address) {
  return runtime::HttpSchemaRegistry::Create({.address = address});
}

}  // namespace slipstream::processor
