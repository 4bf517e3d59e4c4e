#include "gateway/user_name.h"

#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace slipstream::gateway {
namespace {

constexpr size_t kUserBytesMax = 255;
constexpr size_t kShownBytesMax = 200;

// As Hadoop has it: ^[A-Za-z_][A-Za-z0-9._-]*[$]?$
bool IsUserName(std::string_view name) {
  if (name.size() > 1 && name.ends_with('$')) name.remove_suffix(1);
  if (name.size() > kUserBytesMax) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '.' && c != '-'))) return false;
  }
  return true;
}

}  // namespace

Result<std::string> UserOf(const http::Query& query, const std::string& otherwise) {
  std::optional<std::string> user = http::ParameterOf(query, "doas");
  if (!user.has_value()) user = http::ParameterOf(query, "user.name");
  if (!user.has_value()) return otherwise;
  if (IsUserName(*user)) return *std::move(user);
  return InvalidArgument(
      fmt::format("Invalid value for webhdfs parameter \"user.name\": {} is not a user's name.",
                  user->substr(0, kShownBytesMax)));
}

}  // namespace slipstream::gateway
