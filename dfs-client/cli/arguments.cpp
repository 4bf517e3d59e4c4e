#include "dfs-client/cli/arguments.h"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace slipstream::dfs::cli {
namespace {

bool IsFlag(const std::string& word) {
  return word.size() > 1 && word.front() == '-';
}

}  // namespace

Result<bool> Arguments::TakeFlag(std::span<const std::string> words,
                                 const FlagNames& known,
                                 const Bounds& bounds,
                                 size_t& i) {
  const std::string& word = words[i];
  std::string name = word.substr(word.starts_with("--") ? 2 : 1);
  if (known.contains(name)) {
    flags_.insert_or_assign(name, "");
    ++i;
    return true;
  }
  if (!name.empty() && known.contains(name.substr(0, 1) + "*")) {
    flags_.insert_or_assign(name.substr(0, 1), name.substr(1));
    ++i;
    return true;
  }
  std::optional<std::string> value;
  if (const size_t equals = name.find('='); equals != std::string::npos) {
    value = name.substr(equals + 1);
    name.resize(equals);
  }
  const bool may_have_value = known.contains(name + "?");
  if (!may_have_value && !known.contains(name + "=")) return false;
  ++i;
  if (!value.has_value() && may_have_value) {
    const bool follows = words.size() - i > bounds.operands_min && !IsFlag(words[i]);
    value = follows ? words[i++] : "";
  } else if (!value.has_value()) {
    if (i == words.size()) return InvalidArgument("option " + word + " requires 1 argument");
    value = words[i++];
  }
  flags_.insert_or_assign(name, *value);
  return true;
}

Result<Arguments> Arguments::Parse(std::span<const std::string> words,
                                   const FlagNames& known,
                                   const Bounds& bounds) {
  Arguments out;
  size_t i = 0;
  while (i < words.size()) {
    if (words[i] == "--") {
      ++i;
      break;
    }
    if (!IsFlag(words[i])) {
      if (bounds.flag_rule != FlagRule::kAnywhere) break;
      out.operands_.push_back(words[i++]);
      continue;
    }
    ASSIGN_OR_RETURN(const bool is_known, out.TakeFlag(words, known, bounds, i));
    if (is_known) continue;
    if (bounds.flag_rule != FlagRule::kUnknownStay) {
      return InvalidArgument("Illegal option " + words[i]);
    }
    out.operands_.push_back(words[i++]);
  }
  out.operands_.insert(
      out.operands_.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());

  const size_t count = out.operands_.size();
  if (count < bounds.operands_min) {
    return InvalidArgument(
        fmt::format("Not enough arguments: expected {} but got {}", bounds.operands_min, count));
  }
  if (count > bounds.operands_max) {
    return InvalidArgument(
        fmt::format("Too many arguments: expected {} but got {}", bounds.operands_max, count));
  }
  return out;
}

std::optional<std::string> Arguments::Value(std::string_view flag) const {
  auto found = flags_.find(flag);
  if (found == flags_.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<uint64_t>> Arguments::Number(std::string_view flag,
                                                  uint64_t low,
                                                  uint64_t high) const {
  const std::optional<std::string> text = Value(flag);
  if (!text.has_value() || text->empty()) return std::optional<uint64_t>();
  ASSIGN_OR_RETURN(const int64_t number, ParseNumber(*text));
  if (number < 0 || static_cast<uint64_t>(number) < low || static_cast<uint64_t>(number) > high) {
    return InvalidArgument(fmt::format("{}: {} is not from {} to {}", flag, *text, low, high));
  }
  return std::optional<uint64_t>(static_cast<uint64_t>(number));
}

Result<int64_t> ParseNumber(const std::string& text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) {
    return InvalidArgument(fmt::format("For input string: \"{}\"", text));
  }
  return number;
}

}  // namespace slipstream::dfs::cli
