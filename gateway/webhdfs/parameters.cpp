#include "gateway/webhdfs/parameters.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "gateway/http/message.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr size_t kShownBytesMax = 200;

Status Invalid(std::string_view name, std::string_view value, std::string_view why) {
  return InvalidArgument(fmt::format("Invalid value for webhdfs parameter \"{}\": {} {}",
                                     name,
                                     value.substr(0, kShownBytesMax),
                                     why));
}

}  // namespace

Result<Parameters> Parameters::Parse(std::string_view query) {
  ASSIGN_OR_RETURN(http::Query parsed, http::ParseQuery(query));
  return Parameters(std::move(parsed));
}

std::optional<std::string> Parameters::Text(std::string_view name) const {
  return http::ParameterOf(query_, name);
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

}  // namespace slipstream::gateway::webhdfs
