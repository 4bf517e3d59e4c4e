#include <map>
#include <optional>
#include <string>

#include <simdjson.h>

#include "processor/expr/function_table.h"
#include "processor/expr/json_path.h"
#include "processor/expr/type_rules.h"
#include "processor/types/number_text.h"

// JSON_VALUE, JSON_EXISTS, JSON_QUERY: what lies at a path of a JSON text. IS JSON.

namespace slipstream::sql {
namespace {

using Found = JsonPath::Found;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

constexpr size_t kPathsMax = 64;  // kept while one batch is computed

// PathRunner: runs the path in the second argument over the text in the first.
class PathRunner {
 public:
  explicit PathRunner(const KernelCall& call) : call_(call) {}

  // nullptr: the path is none, and the row has failed. What is found lives until the next call.
  const Found* Find(size_t row, Column& out) {
    const std::string_view text = call_.args[1].string_at(row);
    auto path = paths_.find(text);
    if (path == paths_.end()) {
      if (paths_.size() >= kPathsMax) paths_.clear();
      path = paths_.emplace(std::string(text), JsonPath::Parse(text)).first;
    }
    if (!path->second) {
      out.SetNull(row);
      call_.errors.Add(row, "a JSON path is $, .name, ['name'], [n], [*], .* and ..name");
      return nullptr;
    }
    found_ = path->second->Find(call_.args[0].string_at(row), parser_);
    // Where a scalar is wanted and none is there, or the other way round, that is nothing in a lax
    // path, and an error in a strict one.
    wrong_kind_ = path->second->is_lax() ? Found::Kind::kEmpty : Found::Kind::kError;
    return &found_;
  }
  Found::Kind wrong_kind() const { return wrong_kind_; }

 private:
  const KernelCall& call_;
  simdjson::dom::parser parser_;
  std::map<std::string, std::optional<JsonPath>, std::less<>> paths_;
  Found found_;
  Found::Kind wrong_kind_ = Found::Kind::kEmpty;
};

bool HasNull(const KernelCall& call, size_t row) {
  return call.args[0].is_null(row) || call.args[1].is_null(row);
}

std::string_view ErrorOf(Found::Kind kind) {
  return kind == Found::Kind::kEmpty ? "nothing lies at the JSON path"
                                     : "no such value at the JSON path";
}

// ---- JSON_VALUE ----

// JSON_VALUE(text, path[, on empty, its default, on error, its default]), where "on …" is NULL,
// ERROR or DEFAULT.
void JsonValueKernel(const KernelCall& call, Column& out) {
  PathRunner runner(call);
  for (size_t row = 0; row < call.rows; ++row) {
    const Found* const found = HasNull(call, row) ? nullptr : runner.Find(row, out);
    if (found == nullptr) {
      out.SetNull(row);
      continue;
    }
    if (found->is_scalar()) {
      std::string_view text;
      if (found->one.get_string().get(text)) {
        out.strings[row] = call.arena.Copy(simdjson::minify(found->one));
      } else {
        out.strings[row] = call.arena.Copy(text);
      }
      continue;
    }
    const bool is_wrong = found->kind == Found::Kind::kOne || found->kind == Found::Kind::kMany;
    const Found::Kind kind = is_wrong ? runner.wrong_kind() : found->kind;
    const size_t handler = kind == Found::Kind::kEmpty ? 2 : 4;
    const std::string_view handling =
        call.args.size() > 2 ? call.args[handler].string_at(row) : "NULL";
    if (handling == "DEFAULT" && !call.args[handler + 1].is_null(row)) {
      out.strings[row] = call.args[handler + 1].string_at(row);
      continue;
    }
    out.SetNull(row);
    if (handling == "ERROR") call.errors.Add(row, std::string(ErrorOf(kind)));
  }
}

std::optional<Signature> BindJsonValue(Args args) {
  if (args.size() != 2 && args.size() != 6) return std::nullopt;
  for (const ExpressionPtr& arg : args) {
    if (!FitParam(FunctionTable::Param::kString, arg->type)) return std::nullopt;
  }
  return Signature{.args = std::vector<DataType>(args.size(), DataType::String()),
                   .result = DataType::String()};
}

// ---- JSON_EXISTS ----

// JSON_EXISTS(text, path[, on error]), where "on error" is TRUE, FALSE, UNKNOWN or ERROR.
void JsonExistsKernel(const KernelCall& call, Column& out) {
  PathRunner runner(call);
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const Found* const found = runner.Find(row, out);
    if (found == nullptr) continue;
    if (found->kind != Found::Kind::kError) {
      out.bools[row] = found->kind == Found::Kind::kEmpty ? 0 : 1;
      continue;
    }
    const std::string_view handling = call.args.size() > 2 ? call.args[2].string_at(row) : "FALSE";
    out.bools[row] = handling == "TRUE" ? 1 : 0;
    if (handling == "UNKNOWN" || handling == "ERROR") out.SetNull(row);
    if (handling == "ERROR") call.errors.Add(row, std::string(ErrorOf(found->kind)));
  }
}

// ---- JSON_QUERY ----

// JSON_QUERY(text, path, wrapper, on empty, on error): the wrapper is WITHOUT, CONDITIONAL or
// UNCONDITIONAL, "on …" is NULL, ERROR, EMPTY ARRAY or EMPTY OBJECT.
class JsonQuery {
 public:
  JsonQuery(const KernelCall& call, Column& out) : call_(call), out_(out), runner_(call) {}

  // The values at the path, or with is_array() the array of them; nullptr: the row's result is
  // another, and `Instead` gives it.
  const Found* Find(size_t row) {
    const Found* const found = runner_.Find(row, out_);
    if (found == nullptr) return nullptr;
    kind_ = found->kind;
    if (kind_ == Found::Kind::kError || kind_ == Found::Kind::kEmpty) return nullptr;
    const std::string_view wrapper = call_.args[2].string_at(row);
    const bool is_array = kind_ == Found::Kind::kMany || found->one.is_array();
    is_wrapped_ = wrapper == "UNCONDITIONAL" || (wrapper == "CONDITIONAL" && !is_array);
    if (!is_wrapped_ && found->is_scalar()) {
      kind_ = runner_.wrong_kind();
      return nullptr;
    }
    return found;
  }
  bool is_wrapped() const { return is_wrapped_; }
  // What stands for what is not there; nullopt: the row is NULL, or has failed.
  std::optional<std::string_view> Instead(size_t row) {
    if (out_.is_null(row)) return std::nullopt;
    const std::string_view handling =
        call_.args[kind_ == Found::Kind::kEmpty ? 3 : 4].string_at(row);
    if (handling == "EMPTY ARRAY") return "[]";
    if (handling == "EMPTY OBJECT") return "{}";
    if (handling == "ERROR") call_.errors.Add(row, std::string(ErrorOf(kind_)));
    return std::nullopt;
  }

 private:
  const KernelCall& call_;
  Column& out_;
  PathRunner runner_;
  Found::Kind kind_ = Found::Kind::kEmpty;
  bool is_wrapped_ = false;
};

void AppendFound(const Found& found, std::string& to) {
  if (found.kind == Found::Kind::kOne) return AppendJson(found.one, to);
  to.push_back('[');
  for (size_t i = 0; i < found.many.size(); ++i) {
    if (i > 0) to.push_back(',');
    AppendJson(found.many[i], to);
  }
  to.push_back(']');
}

void JsonQueryKernel(const KernelCall& call, Column& out) {
  JsonQuery query(call, out);
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    if (const Found* const found = query.Find(row)) {
      std::string json = query.is_wrapped() ? "[" : "";
      AppendFound(*found, json);
      if (query.is_wrapped()) json.push_back(']');
      out.strings[row] = call.arena.Copy(json);
    } else if (const std::optional<std::string_view> instead = query.Instead(row)) {
      out.strings[row] = *instead;
    } else {
      out.SetNull(row);
    }
  }
}

// An element of an ARRAY<STRING>: a string's text, null as NULL, all others as JSON.
void AppendElement(const simdjson::dom::element& value, Arena& arena, Column& to) {
  if (value.is_null()) return to.AppendNull();
  std::string json;
  std::string_view text;
  if (value.get_string().get(text)) {
    AppendJson(value, json);
    text = json;
  }
  if (to.has_nulls()) to.valid.push_back(1);
  to.strings.push_back(arena.Copy(text));
}

// Of RETURNING ARRAY<STRING>: what is no array is an error.
void JsonQueryArrayKernel(const KernelCall& call, Column& out) {
  JsonQuery query(call, out);
  Column& elements = out.children[0];
  elements.Clear();
  out.offsets.assign(1, 0);
  // `out` has its rows one by one only from here on, but may mark any of them NULL.
  if (out.valid.empty()) out.valid.assign(call.rows, 1);
  for (size_t row = 0; row < call.rows; ++row) {
    const Found* const found = out.is_null(row) ? nullptr : query.Find(row);
    if (found != nullptr && query.is_wrapped()) {
      std::string json;
      AppendFound(*found, json);
      if (found->kind == Found::Kind::kOne) {
        AppendElement(found->one, call.arena, elements);
      } else {
        if (elements.has_nulls()) elements.valid.push_back(1);
        elements.strings.push_back(call.arena.Copy(json));
      }
    } else if (found != nullptr && found->kind == Found::Kind::kMany) {
      for (const simdjson::dom::element& element : found->many)
        AppendElement(element, call.arena, elements);
    } else if (found != nullptr && found->one.is_array()) {
      for (const simdjson::dom::element element : simdjson::dom::array(found->one))
        AppendElement(element, call.arena, elements);
    } else {
      const bool is_object = found != nullptr;
      if (is_object || query.Instead(row) != "[]") out.SetNull(row);
    }
    out.offsets.push_back(static_cast<uint32_t>(elements.size()));
  }
}

void AddJsonQuery(FunctionTable& table, const char* name, const DataType& result, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = "JSON_QUERY(STRING, path)"};
  function.bind = [result](Args args) -> std::optional<Signature> {
    if (args.size() != 5) return std::nullopt;
    for (const ExpressionPtr& arg : args) {
      if (!FitParam(FunctionTable::Param::kString, arg->type)) return std::nullopt;
    }
    return Signature{.args = std::vector<DataType>(5, DataType::String()), .result = result};
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

// ---- IS JSON ----

enum class JsonKind : uint8_t { kValue, kScalar, kArray, kObject };

template <JsonKind kKind>
void IsJsonKernel(const KernelCall& call, Column& out) {
  simdjson::dom::parser parser;
  for (size_t row = 0; row < call.rows; ++row) {
    out.bools[row] = 0;
    if (call.args[0].is_null(row)) continue;
    const std::string_view text = call.args[0].string_at(row);
    simdjson::dom::element element;
    if (!ParseJson(text, parser, element)) continue;
    const bool is_kind =
        kKind == JsonKind::kValue || (kKind == JsonKind::kArray && element.is_array()) ||
        (kKind == JsonKind::kObject && element.is_object()) ||
        (kKind == JsonKind::kScalar && !element.is_array() && !element.is_object());
    out.bools[row] = is_kind ? 1 : 0;
  }
}

void AddIsJson(FunctionTable& table, const char* name, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = std::string("STRING ") + name};
  function.bind = [](Args args) -> std::optional<Signature> {
    if (args.size() != 1 || !FitParam(FunctionTable::Param::kString, args[0]->type)) {
      return std::nullopt;
    }
    return Signature{.args = {DataType::String()},
                     .result = AsNullable(DataType::Boolean(), false)};
  };
  function.kernel = kernel;
  function.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(function));
}

}  // namespace

void AddJsonFunctions(FunctionTable& table) {
  using Param = FunctionTable::Param;
  ScalarFunction value{.name = "JSON_VALUE", .usage = "JSON_VALUE(STRING, path)"};
  value.bind = BindJsonValue;
  value.kernel = JsonValueKernel;
  value.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(value));
  table.Add("JSON_EXISTS",
            {Param::kString, Param::kString, Param::kString},
            1,
            DataType::Boolean(),
            JsonExistsKernel);
  AddJsonQuery(table, "JSON_QUERY", DataType::String(), JsonQueryKernel);
  DataType texts{.kind = TypeKind::kArray};
  texts.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", DataType::String()}});
  AddJsonQuery(table, "JSON_QUERY ARRAY", texts, JsonQueryArrayKernel);
  AddIsJson(table, "IS JSON", IsJsonKernel<JsonKind::kValue>);
  AddIsJson(table, "IS JSON SCALAR", IsJsonKernel<JsonKind::kScalar>);
  AddIsJson(table, "IS JSON ARRAY", IsJsonKernel<JsonKind::kArray>);
  AddIsJson(table, "IS JSON OBJECT", IsJsonKernel<JsonKind::kObject>);
}

}  // namespace slipstream::sql
