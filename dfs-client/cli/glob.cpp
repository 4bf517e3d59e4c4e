#include "dfs-client/cli/glob.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace slipstream::dfs::cli {
namespace {

// The first character of `text` (not empty), as its bytes; a byte that begins no valid character
// counts as one.
std::string_view FirstCharacter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  size_t length = 1;
  if (lead >= 0xf0) {
    length = 4;
  } else if (lead >= 0xe0) {
    length = 3;
  } else if (lead >= 0xc0) {
    length = 2;
  }
  return text.substr(0, length);
}

// A set such as [a-c], taken off the front of `pattern`, and whether `character` is in it. Nothing
// if it is not closed. UTF-8 sorts as its characters do, so ranges compare bytes.
std::optional<bool> TakeSet(std::string_view& pattern, std::string_view character) {
  std::string_view rest = pattern.substr(1);
  const bool is_negated = !rest.empty() && (rest.front() == '^' || rest.front() == '!');
  if (is_negated) rest.remove_prefix(1);
  bool is_in = false;
  for (bool is_first = true; !rest.empty(); is_first = false) {
    if (rest.front() == ']' && !is_first) {
      pattern = rest.substr(1);
      return is_in != is_negated;
    }
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    const std::string_view low = FirstCharacter(rest);
    rest.remove_prefix(low.size());
    std::string_view high = low;
    if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
      high = FirstCharacter(rest.substr(1));
      rest.remove_prefix(1 + high.size());
    }
    is_in = is_in || (low <= character && character <= high);
  }
  return std::nullopt;
}

// Takes what matches exactly one character off both; false if it does not match. `name` is not
// empty, and `pattern` does not begin with a star.
bool TakeOne(std::string_view& pattern, std::string_view& name) {
  const std::string_view character = FirstCharacter(name);
  if (pattern.front() == '?') {
    pattern.remove_prefix(1);
    name.remove_prefix(character.size());
    return true;
  }
  if (pattern.front() == '[') {
    if (std::optional<bool> is_in = TakeSet(pattern, character); is_in.has_value()) {
      name.remove_prefix(character.size());
      return *is_in;
    }
  }
  if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  if (pattern.front() != name.front()) return false;
  pattern.remove_prefix(1);
  name.remove_prefix(1);
  return true;
}

struct Braces {
  size_t open = 0;
  size_t close = 0;
  std::vector<size_t> commas;  // of the outermost level
};

// The first pair of braces that is closed and begins at `begin` or behind it.
std::optional<Braces> FindBraces(std::string_view pattern, size_t begin) {
  for (size_t open = begin; open < pattern.size(); ++open) {
    if (pattern[open] == '\\') {
      ++open;
      continue;
    }
    if (pattern[open] != '{') continue;
    Braces braces{.open = open};
    int depth = 0;
    for (size_t i = open; i < pattern.size(); ++i) {
      if (pattern[i] == '\\') {
        ++i;
      } else if (pattern[i] == '{') {
        ++depth;
      } else if (pattern[i] == ',' && depth == 1) {
        braces.commas.push_back(i);
      } else if (pattern[i] == '}' && --depth == 0) {
        braces.close = i;
        return braces;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

bool HasGlob(std::string_view text) {
  return text.find_first_of("*?[{\\") != std::string_view::npos;
}

bool GlobMatches(std::string_view pattern, std::string_view name) {
  // Where to go on after a mismatch: behind the last star, one more character given to it.
  std::optional<std::string_view> star_pattern;
  std::string_view star_name;
  while (true) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      star_pattern = pattern;
      star_name = name;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && !name.empty() && TakeOne(pattern, name)) continue;
    if (!star_pattern.has_value() || star_name.empty()) return false;
    star_name.remove_prefix(FirstCharacter(star_name).size());
    pattern = *star_pattern;
    name = star_name;
  }
}

std::vector<std::string> ExpandAlternatives(std::string_view pattern) {
  // What is still to be expanded, the next at the end; up to `begin` it has no braces to expand.
  struct Open {
    std::string pattern;
    size_t begin = 0;
  };
  std::deque<Open> open;
  open.push_back({.pattern = std::string(pattern)});
  std::vector<std::string> out;
  while (!open.empty() && out.size() < kAlternativesMax) {
    const Open next = std::move(open.back());
    open.pop_back();
    std::optional<Braces> braces = FindBraces(next.pattern, next.begin);
    if (!braces.has_value()) {
      out.push_back(next.pattern);
      continue;
    }
    braces->commas.insert(braces->commas.begin(), braces->open);
    // No more than can be given: the rest is for nothing.
    if (braces->commas.size() > kAlternativesMax)
      braces->commas.resize(kAlternativesMax + 1);
    else
      braces->commas.push_back(braces->close);
    for (size_t i = braces->commas.size() - 1; i > 0; --i) {
      const size_t begin = braces->commas[i - 1] + 1;
      open.push_back({.pattern = next.pattern.substr(0, braces->open) +
                                 next.pattern.substr(begin, braces->commas[i] - begin) +
                                 next.pattern.substr(braces->close + 1),
                      .begin = braces->open});
    }
    // Each gives one at least, so that those at the front never have their turn.
    while (open.size() > kAlternativesMax - out.size())
      open.pop_front();
  }
  return out;
}

}  // namespace slipstream::dfs::cli
