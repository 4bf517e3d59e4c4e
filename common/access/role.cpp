#include "common/access/role.h"

#include <array>
#include <utility>

namespace slipstream::access {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> kNames = {{
    {Role::kRead, "read"},
    {Role::kWrite, "write"},
    {Role::kAdmin, "admin"},
    {Role::kNode, "node"},
}};

}  // namespace

std::string_view RoleName(Role role) {
  return kNames.at(static_cast<size_t>(role)).second;
}

std::optional<Role> ParseRole(std::string_view name) {
  for (const auto& [role, role_name] : kNames) {
    if (role_name == name) return role;
  }
  return std::nullopt;
}

std::optional<Role> RoleOfSubject(std::string_view subject) {
  constexpr std::string_view kUnit = "OU=";
  std::optional<Role> found;
  while (!subject.empty()) {
    // A comma of a value is written with a backslash before it.
    size_t end = 0;
    while (end < subject.size() && subject[end] != ',' && subject[end] != '+')
      end += subject[end] == '\\' ? 2 : 1;
    end = std::min(end, subject.size());
    const std::string_view part = subject.substr(0, end);
    if (part.starts_with(kUnit)) {
      if (found.has_value()) return std::nullopt;
      found = ParseRole(part.substr(kUnit.size()));
      if (!found.has_value()) return std::nullopt;
    }
    subject.remove_prefix(std::min(end + 1, subject.size()));
  }
  return found;
}

}  // namespace slipstream::access
