#pragma once

#include <memory>
#include <string>

#include "common/status/status.h"
#include "processor/formats/schema_registry.h"

namespace slipstream::processor {

// A client of a schema registry; see sql::RegistryOpener.
Result<std::shared_ptr<sql::SchemaRegistry>> OpenRegistry(const sql::RegistryAddress& address);

}  // namespace slipstream::processor
