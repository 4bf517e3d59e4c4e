#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <simdjson.h>

#include "processor/columns/json_text.h"
#include "processor/expr/function_table.h"
#include "processor/expr/json_path.h"
#include "processor/expr/json_shape.h"
#include "processor/expr/type_rules.h"

// JSON_STRING, JSON_OBJECT, JSON_ARRAY: values as JSON, an object's members in the order of their
// names. JSON_QUOTE, JSON_UNQUOTE.

namespace slipstream::sql {
namespace {

using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

void AppendMembers(const std::map<std::string, std::string>& members, std::string& to) {
  to.push_back('{');
  bool is_first = true;
  for (const auto& [name, value] : members) {
    if (!std::exchange(is_first, false)) to.push_back(',');
    AppendJsonText(name, to);
    to.append(":").append(value);
  }
  to.push_back('}');
}

void AppendValue(const Column& column, size_t row, std::string& to) {
  if (column.physical() != PhysicalKind::kNested || column.is_null(row)) {
    return AppendJsonValue(column, row, 'T', to);
  }
  const auto text_of = [](const Column& values, size_t at) {
    std::string text;
    AppendValue(values, at, text);
    return text;
  };
  if (column.type.kind == TypeKind::kArray) {
    to.push_back('[');
    for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
      if (entry > column.offsets[row]) to.push_back(',');
      AppendValue(column.children[0], entry, to);
    }
    to.push_back(']');
    return;
  }
  std::map<std::string, std::string> members;
  if (column.type.kind == TypeKind::kRow) {
    for (size_t i = 0; i < column.children.size(); ++i)
      members[(*column.type.children)[i].name] = text_of(column.children[i], row);
  } else {
    for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
      if (column.children[0].is_null(entry)) continue;
      members[std::string(column.children[0].strings[entry])] = text_of(column.children[1], entry);
    }
  }
  AppendMembers(members, to);
}

// Whether the type has a form in JSON: a MAP's keys must be text.
bool HasJson(const DataType& type) {
  if (type.kind == TypeKind::kMap && !(*type.children)[0].type.is_string()) return false;
  if (!type.children) return true;
  return std::all_of(type.children->begin(), type.children->end(), [](const Field& field) {
    return HasJson(field.type);
  });
}

std::optional<Signature> BindOne(Args args) {
  if (args.size() != 1 || !HasJson(args[0]->type)) return std::nullopt;
  return Signature{.args = {args[0]->type},
                   .result = AsNullable(DataType::String(), args[0]->type.nullable)};
}

void JsonStringKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::string text;
    AppendValue(*call.args[0].column, call.args[0].index(row), text);
    out.strings[row] = call.arena.Copy(text);
  }
}

// ---- JSON_OBJECT and JSON_ARRAY: (NULL or ABSENT, shape, value, …); see json_shape.h ----

std::string TextOf(const Operand& arg, size_t row, bool is_json) {
  if (arg.is_null(row)) return "null";
  if (is_json) return std::string(arg.string_at(row));
  std::string text;
  AppendValue(*arg.column, arg.index(row), text);
  return text;
}

void JsonObjectKernel(const KernelCall& call, Column& out) {
  const bool keeps_nulls = call.args[0].string_at(0) == "NULL";
  const std::string_view shape = call.args[1].string_at(0);
  for (size_t row = 0; row < call.rows; ++row) {
    std::map<std::string, std::string> members;
    bool is_whole = true;
    for (size_t i = 2; i + 1 < call.args.size(); i += 2) {
      const Operand& key = call.args[i];
      if (key.is_null(row)) is_whole = false;
      if (!is_whole) break;
      if (call.args[i + 1].is_null(row) && !keeps_nulls) continue;
      members[std::string(key.string_at(row))] =
          TextOf(call.args[i + 1], row, shape[i - 1] == kJsonShape);
    }
    if (!is_whole) {
      out.SetNull(row);
      call.errors.Add(row, "a key of JSON_OBJECT is NULL");
      continue;
    }
    std::string text;
    AppendMembers(members, text);
    out.strings[row] = call.arena.Copy(text);
  }
}

void JsonArrayKernel(const KernelCall& call, Column& out) {
  const bool keeps_nulls = call.args[0].string_at(0) == "NULL";
  const std::string_view shape = call.args[1].string_at(0);
  for (size_t row = 0; row < call.rows; ++row) {
    std::string text = "[";
    for (size_t i = 2; i < call.args.size(); ++i) {
      if (call.args[i].is_null(row) && !keeps_nulls) continue;
      if (text.size() > 1) text.push_back(',');
      text += TextOf(call.args[i], row, shape[i - 2] == kJsonShape);
    }
    out.strings[row] = call.arena.Copy(text + "]");
  }
}

// Every `step`th value behind the first two is a key, if any is.
std::optional<Signature> BindParts(Args args, size_t step) {
  if (args.size() < 2 || args.size() % step != 0) return std::nullopt;
  Signature signature{.args = {}, .result = AsNullable(DataType::String(), false)};
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_text = i < 2 || (step == 2 && i % 2 == 0);
    if (is_text ? !args[i]->type.is_string() : !HasJson(args[i]->type)) return std::nullopt;
    signature.args.push_back(is_text ? DataType::String() : args[i]->type);
  }
  return signature;
}

// ---- Quotes ----

void QuoteKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::string text;
    AppendJsonText(call.args[0].string_at(row), text);
    out.strings[row] = call.arena.Copy(text);
  }
}

// What is no JSON string stays as it is.
void UnquoteKernel(const KernelCall& call, Column& out) {
  simdjson::dom::parser parser;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::string_view text = call.args[0].string_at(row);
    out.strings[row] = text;
    if (!text.starts_with('"') || !text.ends_with('"')) continue;
    simdjson::dom::element root;
    std::string_view inside;
    if (ParseJson(text, parser, root) && !root.get_string().get(inside)) {
      out.strings[row] = call.arena.Copy(inside);
    }
  }
}

}  // namespace

bool MakesJson(const Expression& expression) {
  if (expression.kind != Expression::Kind::kCall) return false;
  const std::string& name = expression.function->name;
  return name == "JSON_OBJECT" || name == "JSON_ARRAY";
}

ExpressionPtr JsonShapeOf(const std::vector<ExpressionPtr>& args, size_t first) {
  std::string shape;
  for (size_t i = first; i < args.size(); ++i)
    shape.push_back(MakesJson(*args[i]) ? kJsonShape : kValueShape);
  return MakeLiteral(shape, DataType::String());
}

void AddJsonConstruction(FunctionTable& table) {
  const auto add = [&table](const char* name,
                            const char* usage,
                            ScalarFunction::Bind bind,
                            Kernel kernel,
                            ScalarFunction::Evaluation evaluation) {
    ScalarFunction function{.name = name, .usage = usage, .bind = std::move(bind)};
    function.kernel = kernel;
    function.evaluation = evaluation;
    table.Add(std::move(function));
  };
  using Evaluation = ScalarFunction::Evaluation;
  add("JSON_STRING", "JSON_STRING(value)", BindOne, JsonStringKernel, Evaluation::kStrict);
  add(
      "JSON_OBJECT",
      "JSON_OBJECT(key VALUE value, … [NULL | ABSENT ON NULL])",
      [](Args args) { return BindParts(args, 2); },
      JsonObjectKernel,
      Evaluation::kLoose);
  add(
      "JSON_ARRAY",
      "JSON_ARRAY(value, … [NULL | ABSENT ON NULL])",
      [](Args args) { return BindParts(args, 1); },
      JsonArrayKernel,
      Evaluation::kLoose);
  const DataType text = DataType::String();
  table.Add("JSON_QUOTE", {FunctionTable::Param::kString}, 0, text, QuoteKernel);
  table.Add("JSON_UNQUOTE", {FunctionTable::Param::kString}, 0, text, UnquoteKernel);
}

}  // namespace slipstream::sql
