#include "processor/app/registry.h"

#include "processor/connectors/http_schema_registry.h"

namespace slipstream::processor {

Result<std::shared_ptr<sql::SchemaRegistry>> OpenRegistry(const std::string& url,
                                                          const std::string& user_info) {
  return runtime::HttpSchemaRegistry::Create({.url = url, .user_info = user_info});
}

}  // namespace slipstream::processor
