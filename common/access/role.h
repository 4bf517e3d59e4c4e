#pragma once

#include <optional>
#include <string_view>

namespace slipstream::access {

// What somebody may do, whether a certificate or a token says so. Each role includes those before
// it.
enum class Role {
  kRead,   // look at names, data and state
  kWrite,  // change names and data
  kAdmin,  // what `dfs dfsadmin` and backups do to the cluster
  kNode,   // what the cluster's processes do among themselves; of certificates only
};

// "read", "write", "admin", "node".
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);

// The role in a certificate's subject, written as RFC 2253 has it ("CN=lab1,OU=node,O=Slipstream"):
// its organisational unit. Nothing where there is none, several, or one that is no role.
std::optional<Role> RoleOfSubject(std::string_view subject);

}  // namespace slipstream::access
