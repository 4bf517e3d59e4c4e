#include "gateway/webhdfs/parameters.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "gateway/http/message.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr size_t kUserBytesMax = 255;
constexpr size_t kShownBytesMax = 200;

Status Invalid(std::string_view name, std::string_view value, std::string_view why) {
  return InvalidArgument(fmt::format("Invalid value for webhdfs parameter \"{}\": {} {}",
                                     name,
                                     value.substr(0, kShownBytesMax),
                                     why));
}

bool IsNameCharacter(char c, bool is_first) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_letter || (!is_first && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
}

}  // namespace

Result<Parameters> Parameters::Parse(std::string_view query) {
  ASSIGN_OR_RETURN(http::Query parsed, http::ParseQuery(query));
  return Parameters(std::move(parsed));
}

std::optional<std::string> Parameters::Text(std::string_view name) const {
  for (const auto& [own_name, value] : query_) {
    if (!http::EqualWithoutCase(own_name, name)) continue;
    if (value.empty()) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

Result<bool> Parameters::Boolean(std::string_view name, bool otherwise) const {
  const std::optional<std::string> text = Text(name);
  if (!text.has_value()) return otherwise;
  if (http::EqualWithoutCase(*text, "true")) return true;
  if (http::EqualWithoutCase(*text, "false")) return false;
  return Invalid(name, *text, "is not true or false.");
}

Result<std::optional<int64_t>> Parameters::Number(std::string_view name,
                                                  int64_t min,
                                                  int64_t max) const {
  const std::optional<std::string> text = Text(name);
  if (!text.has_value()) return std::optional<int64_t>();
  int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end) return Invalid(name, *text, "is not a number.");
  if (number < min || number > max) {
    return Invalid(name, *text, fmt::format("is not within [{}, {}].", min, max));
  }
  return std::optional<int64_t>(number);
}

Result<std::optional<uint32_t>> Parameters::Permission(std::string_view name) const {
  const std::optional<std::string> text = Text(name);
  if (!text.has_value()) return std::optional<uint32_t>();
  const bool is_octal =
      std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '7'; });
  const bool is_short = text->size() <= 3 || (text->size() == 4 && text->front() <= '1');
  if (!is_octal || !is_short) return Invalid(name, *text, "is not an octal permission up to 1777.");
  uint32_t mode = 0;
  (void)std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  return std::optional<uint32_t>(mode);
}

Result<std::string> UserOf(const Parameters& parameters, const std::string& otherwise) {
  std::optional<std::string> said = parameters.Text("doas");
  if (!said.has_value()) said = parameters.Text("user.name");
  if (!said.has_value()) return otherwise;
  std::string user = std::move(*said);
  // As Hadoop has it: ^[A-Za-z_][A-Za-z0-9._-]*[$]?$
  std::string_view name(user);
  if (name.size() > 1 && name.ends_with('$')) name.remove_suffix(1);
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsNameCharacter(name[i], i == 0) || i >= kUserBytesMax) {
      return Invalid("user.name", user, "is not a user's name.");
    }
  }
  return user;
}

}  // namespace slipstream::gateway::webhdfs
