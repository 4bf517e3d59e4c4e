#pragma once

#include <memory>
#include <string>

#include "common/status/status.h"
#include "processor/formats/schema_registry.h"

namespace slipstream::processor {

// A client of the schema registry at `url`; see sql::RegistryOpener.
Result<std::shared_ptr<sql::SchemaRegistry>> OpenRegistry(const std::string& url,
                                                          const std::string& user_info);

}  // namespace slipstream::processor
