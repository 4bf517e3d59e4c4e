#include "processor/expr/json_path.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "processor/columns/json_text.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kStepsMax = 100;

// Takes the mode and the blanks behind it off the front.
bool TakeMode(std::string_view mode, std::string_view& path) {
  const bool is_there = EqualsIgnoreCase(path.substr(0, mode.size()), mode) &&
                        path.substr(mode.size()).starts_with(' ');
  if (is_there) path = TrimBlanks(path.substr(mode.size()));
  return is_there;
}

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view path) {
  JsonPath parsed;
  path = TrimBlanks(path);
  parsed.is_lax_ = TakeMode("lax", path);
  if (!parsed.is_lax_) TakeMode("strict", path);
  if (path.empty()) return std::nullopt;
  // A name without the root is taken from the root.
  if (path.starts_with('$')) {
    path.remove_prefix(1);
    if (!parsed.ParseSteps(path)) return std::nullopt;
  } else if (!parsed.ParseSteps("." + std::string(path))) {
    return std::nullopt;
  }
  const auto is_definite = [](const Step& step) {
    return step.kind == Step::Kind::kName || step.kind == Step::Kind::kIndex;
  };
  const auto indefinite = std::find_if_not(parsed.steps_.begin(), parsed.steps_.end(), is_definite);
  parsed.definite_steps_ = static_cast<size_t>(indefinite - parsed.steps_.begin());
  return parsed;
}

bool JsonPath::ParseSteps(std::string_view path) {
  while (!path.empty()) {
    if (steps_.size() == kStepsMax) return false;
    if (path.starts_with('[')) {
      if (!ParseBracket(path)) return false;
      continue;
    }
    if (!path.starts_with('.')) return false;
    path.remove_prefix(1);
    if (path.starts_with('[')) continue;  // $.["name"] is $["name"]
    Step step;
    if (path.starts_with('.')) {
      path.remove_prefix(1);
      step.kind = Step::Kind::kAnywhere;
    }
    const size_t end = std::min(path.find_first_of(".["), path.size());
    step.name = path.substr(0, end);
    path.remove_prefix(end);
    // Functions and filters are no names.
    if (step.name.empty() || step.name.find_first_of("()?@") != std::string::npos) return false;
    if (step.kind == Step::Kind::kName && step.name == "*") step.kind = Step::Kind::kEvery;
    steps_.push_back(std::move(step));
  }
  return true;
}

// ['name'], ["name"], [n] or [*]
bool JsonPath::ParseBracket(std::string_view& path) {
  Step step;
  path.remove_prefix(1);
  if (path.starts_with('\'') || path.starts_with('"')) {
    const size_t close = path.find(path.front(), 1);
    if (close == std::string_view::npos || !path.substr(close + 1).starts_with(']')) return false;
    step.name = path.substr(1, close - 1);
    path.remove_prefix(close + 2);
    steps_.push_back(std::move(step));
    return true;
  }
  const size_t close = path.find(']');
  if (close == std::string_view::npos) return false;
  const std::string_view inside = TrimBlanks(path.substr(0, close));
  path.remove_prefix(close + 1);
  if (inside == "*") {
    step.kind = Step::Kind::kEvery;
  } else {
    step.kind = Step::Kind::kIndex;
    const char* const last = inside.data() + inside.size();
    const auto [parsed, error] = std::from_chars(inside.data(), last, step.index);
    if (error != std::errc() || parsed != last) return false;
  }
  steps_.push_back(std::move(step));
  return true;
}

bool ParseJson(std::string_view text, dom::parser& parser, dom::element& root) {
  // simdjson copies the text even if there is none, from nowhere.
  return !text.empty() && !parser.parse(text.data(), text.size()).get(root);
}

JsonPath::Found JsonPath::Find(std::string_view text, dom::parser& parser) const {
  Found found;
  dom::element root;
  bool is_there = ParseJson(text, parser, root);
  if (is_there) is_there = Walk(root, 0, found.many);
  const bool is_definite = definite_steps_ == steps_.size();
  if (!is_there && !is_lax_) {
    found.kind = Found::Kind::kError;
  } else if (!is_definite) {
    found.kind = Found::Kind::kMany;
  } else if (is_there && !found.many.front().is_null()) {
    found.kind = Found::Kind::kOne;
    found.one = found.many.front();
  }
  return found;
}

bool JsonPath::Walk(const dom::element& at, size_t step, std::vector<dom::element>& found) const {
  if (step == steps_.size()) {
    found.push_back(at);
    return true;
  }
  const Step& next = steps_[step];
  const bool must_exist = step < definite_steps_;
  dom::element child;
  switch (next.kind) {
    case Step::Kind::kName:
      if (!at.is_object() || at.at_key(next.name).get(child)) return !must_exist;
      return Walk(child, step + 1, found);
    case Step::Kind::kIndex: {
      dom::array array;
      if (at.get_array().get(array)) return !must_exist;
      const auto size = static_cast<int64_t>(array.size());
      const int64_t index = next.index < 0 ? size + next.index : next.index;
      if (index < 0 || array.at(static_cast<size_t>(index)).get(child)) return !must_exist;
      return Walk(child, step + 1, found);
    }
    case Step::Kind::kEvery:
      if (at.is_array()) {
        for (const dom::element element : dom::array(at))
          Walk(element, step + 1, found);
      } else if (at.is_object()) {
        for (const auto& [name, value] : dom::object(at))
          Walk(value, step + 1, found);
      }
      return true;
    case Step::Kind::kAnywhere:
      WalkAnywhere(at, step, found);
      return true;
  }
  return true;
}

// simdjson bounds how deeply texts nest, and so this.
void JsonPath::WalkAnywhere(const dom::element& at,
                            size_t step,
                            std::vector<dom::element>& found) const {
  const std::string& wanted = steps_[step].name;
  if (at.is_array()) {
    for (const dom::element element : dom::array(at)) {
      if (wanted == "*") Walk(element, step + 1, found);
      WalkAnywhere(element, step, found);
    }
  } else if (at.is_object()) {
    for (const auto& [name, value] : dom::object(at)) {
      if (wanted == "*" || name == wanted) Walk(value, step + 1, found);
      WalkAnywhere(value, step, found);
    }
  }
}

void AppendJson(const dom::element& value, std::string& to) {
  if (value.is_array()) {
    to.push_back('[');
    bool is_first = true;
    for (const dom::element element : dom::array(value)) {
      if (!std::exchange(is_first, false)) to.push_back(',');
      AppendJson(element, to);
    }
    to.push_back(']');
    return;
  }
  if (value.is_object()) {
    std::vector<std::pair<std::string_view, dom::element>> members;
    for (const auto& [name, member] : dom::object(value))
      members.emplace_back(name, member);
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return a.first < b.first;
    });
    to.push_back('{');
    bool is_first = true;
    for (const auto& [name, member] : members) {
      if (!std::exchange(is_first, false)) to.push_back(',');
      AppendJsonText(name, to);
      to.push_back(':');
      AppendJson(member, to);
    }
    to.push_back('}');
    return;
  }
  std::string_view text;
  if (value.get_string().get(text)) {
    to += simdjson::minify(value);
  } else {
    AppendJsonText(text, to);
  }
}

}  // namespace slipstream::sql
