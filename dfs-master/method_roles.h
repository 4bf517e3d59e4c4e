#pragma once

#include <string_view>

#include "common/access/role.h"

namespace slipstream::dfs::master {

// The role that a caller needs for a method of the master's services ("/package.Service/Method").
// One that is not known here needs admin; gRPC's own, health and reflection, need read.
access::Role RoleNeeded(std::string_view method);

}  // namespace slipstream::dfs::master
