#include "dfs-client/cli/arguments.h"

#include <fmt/format.h>

namespace slipstream::dfs::cli {
namespace {

bool IsFlag(const std::string& word) {
  return word.size() > 1 && word.front() == '-';
}

}  // namespace

Result<Arguments> Arguments::Parse(std::span<const std::string> words,
                                   const FlagNames& known,
                                   const Bounds& bounds) {
  Arguments out;
  size_t i = 0;
  for (; i < words.size() && IsFlag(words[i]); ++i) {
    if (words[i] == "--") {
      ++i;
      break;
    }
    const size_t dashes = words[i].starts_with("--") ? 2 : 1;
    std::string name = words[i].substr(dashes);
    std::string value;
    const size_t equals = name.find('=');
    const bool has_value = equals != std::string::npos;
    if (has_value) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    const bool takes_value = known.contains(name + "=");
    if ((!takes_value && !known.contains(name)) || (has_value && !takes_value)) {
      return InvalidArgument("Illegal option " + words[i]);
    }
    if (takes_value && !has_value) {
      if (i + 1 == words.size())
        return InvalidArgument("option " + words[i] + " requires 1 argument");
      value = words[++i];
    }
    out.flags_.insert_or_assign(name, value);
  }
  out.operands_.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());

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

}  // namespace slipstream::dfs::cli
