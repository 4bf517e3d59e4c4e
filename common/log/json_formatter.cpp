#include "common/log/json_formatter.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/details/log_msg.h>

#include "common/trace/trace.h"

namespace slipstream::log {
namespace {

constexpr std::array<std::string_view, 7> kOwnKeys = {
    "ts", "level", "logger", "thread", "trace", "event", "text"};

std::string ToText(spdlog::string_view_t text) {
  return {text.data(), text.size()};
}

bool IsWordLetter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '.';
}

// Takes the letters of a word off the front.
std::string_view TakeWord(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), IsWordLetter);
  const auto word = rest.substr(0, static_cast<size_t>(end - rest.begin()));
  rest.remove_prefix(word.size());
  return word;
}

// Takes a text in quotes off the front, as log::Quoted writes it; nothing where it has no end.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  std::string text;
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] != '\\' || i + 1 == rest.size()) {
      text.push_back(rest[i]);
      continue;
    }
    ++i;
    // A control character is \xNN in a quoted text, and stays so: nobody misses the byte itself.
    if (rest[i] == 'x') text.push_back('\\');
    text.push_back(rest[i] == 'n' ? '\n' : rest[i]);
  }
  return std::nullopt;
}

// Takes " key=value" off the front and adds it; false where something else stands there.
bool TakePair(std::string_view& rest, nlohmann::ordered_json& object) {
  std::string_view left = rest;
  if (!left.starts_with(' ')) return false;
  left.remove_prefix(1);
  std::string key(TakeWord(left));
  if (key.empty() || !left.starts_with('=')) return false;
  left.remove_prefix(1);
  std::string value;
  if (left.starts_with('"')) {
    std::optional<std::string> quoted = TakeQuoted(left);
    if (!quoted.has_value()) return false;
    value = std::move(*quoted);
  } else {
    value = left.substr(0, left.find(' '));
    left.remove_prefix(value.size());
  }
  if (std::find(kOwnKeys.begin(), kOwnKeys.end(), key) != kOwnKeys.end()) key.insert(0, "field_");
  object[key] = std::move(value);
  rest = left;
  return true;
}

}  // namespace

void JsonFormatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) {
  using std::chrono::floor;
  const auto millisecond = floor<std::chrono::milliseconds>(message.time.time_since_epoch());
  const auto second = floor<std::chrono::seconds>(millisecond);
  nlohmann::ordered_json object;
  object["ts"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                             fmt::gmtime(static_cast<std::time_t>(second.count())),
                             (millisecond - second).count());
  object["level"] = ToText(spdlog::level::to_string_view(message.level));
  object["logger"] = ToText(message.logger_name);
  object["thread"] = message.thread_id;
  if (const trace::Id id = trace::Current(); id.is_set()) object["trace"] = id.ToString();

  const std::string payload = ToText(message.payload);
  std::string_view rest = payload;
  if (const std::string_view event = TakeWord(rest); rest.empty() || rest.starts_with(' ')) {
    object["event"] = event;
    while (TakePair(rest, object)) {
    }
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  } else {
    rest = payload;
  }
  if (!rest.empty()) object["text"] = rest;
  const std::string text =
      object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  line.append(text.data(), text.data() + text.size());
  line.push_back('\n');
}

std::unique_ptr<spdlog::formatter> JsonFormatter::clone() const {
  return std::make_unique<JsonFormatter>();
}

}  // namespace slipstream::log
