#include <charconv>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <simdjson.h>

#include "processor/expr/function_table.h"

// JSON_VALUE and JSON_EXISTS: what lies at a path of a JSON text. Paths are $, .name, ['name'] and
// [n]; "lax" before them is allowed and means nothing else.

namespace slipstream::sql {
namespace {

using Step = std::variant<std::string, size_t>;

std::optional<std::vector<Step>> ParsePath(std::string_view path) {
  while (path.starts_with(' '))
    path.remove_prefix(1);
  for (const std::string_view mode : {"lax ", "strict "}) {
    if (path.starts_with(mode)) path.remove_prefix(mode.size());
  }
  if (!path.starts_with('$')) return std::nullopt;
  path.remove_prefix(1);
  std::vector<Step> steps;
  while (!path.empty()) {
    if (path.starts_with('.')) {
      path.remove_prefix(1);
      const size_t end = std::min(path.find_first_of(".["), path.size());
      if (end == 0) return std::nullopt;
      steps.emplace_back(std::string(path.substr(0, end)));
      path.remove_prefix(end);
      continue;
    }
    const size_t end = path.find(']');
    if (!path.starts_with('[') || end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = path.substr(1, end - 1);
    path.remove_prefix(end + 1);
    const bool is_quoted = inside.size() >= 2 &&
                           (inside.front() == '\'' || inside.front() == '"') &&
                           inside.back() == inside.front();
    if (is_quoted) {
      steps.emplace_back(std::string(inside.substr(1, inside.size() - 2)));
      continue;
    }
    size_t index = 0;
    const char* const last = inside.data() + inside.size();
    const auto [parsed, error] = std::from_chars(inside.data(), last, index);
    if (error != std::errc() || parsed != last) return std::nullopt;
    steps.emplace_back(index);
  }
  return steps;
}

// Runs paths over JSON texts; the parser and the last path serve again.
class PathRunner {
 public:
  // What lies there; nullopt: nothing, or the text is no JSON. False: the path is none.
  bool Find(std::string_view text,
            std::string_view path,
            std::optional<simdjson::dom::element>& found) {
    found.reset();
    if (!steps_ || path != path_) {
      path_ = path;
      steps_ = ParsePath(path);
    }
    if (!steps_) return false;
    simdjson::dom::element element;
    if (parser_.parse(text.data(), text.size()).get(element)) return true;
    for (const Step& step : *steps_) {
      const std::string* const name = std::get_if<std::string>(&step);
      const auto error = name != nullptr ? element.at_key(*name).get(element)
                                         : element.at(std::get<size_t>(step)).get(element);
      if (error) return true;
    }
    found = element;
    return true;
  }

 private:
  simdjson::dom::parser parser_;
  std::string path_;
  std::optional<std::vector<Step>> steps_;
};

constexpr const char* kBadPath = "a JSON path is $, .name, ['name'] and [n]";

// The scalar there as text; NULL for objects, arrays, null and nothing.
void JsonValueKernel(const KernelCall& call, Column& out) {
  PathRunner runner;
  std::optional<simdjson::dom::element> found;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    if (!runner.Find(call.args[0].string_at(row), call.args[1].string_at(row), found)) {
      call.errors.Add(row, kBadPath);
    }
    const bool is_scalar = found && !found->is_object() && !found->is_array() && !found->is_null();
    if (!is_scalar) {
      out.SetNull(row);
      continue;
    }
    std::string_view text;
    if (found->get_string().get(text)) {
      out.strings[row] = call.arena.Copy(simdjson::minify(*found));
    } else {
      out.strings[row] = call.arena.Copy(text);
    }
  }
}

void JsonExistsKernel(const KernelCall& call, Column& out) {
  PathRunner runner;
  std::optional<simdjson::dom::element> found;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    if (!runner.Find(call.args[0].string_at(row), call.args[1].string_at(row), found)) {
      out.SetNull(row);
      call.errors.Add(row, kBadPath);
      continue;
    }
    out.bools[row] = found ? 1 : 0;
  }
}

}  // namespace

void AddJsonFunctions(FunctionTable& table) {
  using Param = FunctionTable::Param;
  table.Add("JSON_VALUE", {Param::kString, Param::kString}, 0, DataType::String(), JsonValueKernel);
  table.Add(
      "JSON_EXISTS", {Param::kString, Param::kString}, 0, DataType::Boolean(), JsonExistsKernel);
}

}  // namespace slipstream::sql
