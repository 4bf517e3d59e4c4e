#include <algorithm>

#include "processor/expr/function_table.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"

// Fields of a ROW, elements of an ARRAY or MAP, and their constructors.

namespace slipstream::sql {
namespace {

using Evaluation = ScalarFunction::Evaluation;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

bool IsKind(const ExpressionPtr& arg, TypeKind kind) {
  return arg->type.kind == kind;
}

const DataType& ChildType(const DataType& type, size_t child) {
  return (*type.children)[child].type;
}

// ---- Access ----

std::optional<Signature> BindField(Args args) {
  if (args.size() != 2 || !IsKind(args[0], TypeKind::kRow)) return std::nullopt;
  const int64_t* const field = std::get_if<int64_t>(&args[1]->literal);
  if (field == nullptr || *field < 0) return std::nullopt;
  const auto index = static_cast<size_t>(*field);
  if (index >= args[0]->type.children->size()) return std::nullopt;
  const DataType& type = ChildType(args[0]->type, index);
  return Signature{.args = {args[0]->type, args[1]->type},
                   .result = AsNullable(type, type.nullable || args[0]->type.nullable)};
}

// Strict: out.valid says which rows there are at all.
void FieldKernel(const KernelCall& call, Column& out) {
  const auto field = static_cast<size_t>(call.args[1].int_at(0));
  const std::vector<uint8_t> has_row = std::move(out.valid);
  DataType type = std::move(out.type);
  out = call.args[0].column->children[field];
  out.type = std::move(type);
  if (has_row.empty()) return;
  for (size_t row = 0; row < call.rows; ++row) {
    if (has_row[row] == 0) out.SetNull(row);
  }
}

std::optional<Signature> BindItem(Args args) {
  if (args.size() != 2) return std::nullopt;
  const DataType& base = args[0]->type;
  if (base.kind == TypeKind::kArray) {
    if (!args[1]->type.is_integer()) return std::nullopt;
    return Signature{.args = {base, DataType::BigInt()}, .result = AsNullable(ChildType(base, 0))};
  }
  if (base.kind != TypeKind::kMap) return std::nullopt;
  const DataType& key = ChildType(base, 0);
  if (!CommonTypeOf(key, args[1]->type, true)) return std::nullopt;
  return Signature{.args = {base, key}, .result = AsNullable(ChildType(base, 1))};
}

// Where the element of row `row` lies in the children; nullopt: there is none.
std::optional<uint32_t> FindItem(const KernelCall& call, size_t row) {
  const Column& base = *call.args[0].column;
  const size_t at = call.args[0].index(row);
  const uint32_t begin = base.offsets[at];
  const uint32_t end = base.offsets[at + 1];
  if (base.type.kind == TypeKind::kArray) {
    const int64_t place = call.args[1].int_at(row);
    if (place < 1 || place > static_cast<int64_t>(end - begin)) return std::nullopt;
    return begin + static_cast<uint32_t>(place - 1);
  }
  const Operand& key = call.args[1];
  for (uint32_t entry = begin; entry < end; ++entry) {
    if (IsSameCell(base.children[0], entry, *key.column, key.index(row))) return entry;
  }
  return std::nullopt;
}

void ItemKernel(const KernelCall& call, Column& out) {
  const Column& items = call.args[0].column->children.back();
  Column found(out.type);
  for (size_t row = 0; row < call.rows; ++row) {
    const bool is_null = call.args[0].is_null(row) || call.args[1].is_null(row);
    const std::optional<uint32_t> item = is_null ? std::nullopt : FindItem(call, row);
    if (item) {
      found.AppendFrom(items, *item);
    } else {
      found.AppendNull();
    }
  }
  out = std::move(found);
}

std::optional<Signature> BindCardinality(Args args) {
  if (args.size() != 1) return std::nullopt;
  const TypeKind kind = args[0]->type.kind;
  if (kind != TypeKind::kArray && kind != TypeKind::kMap) return std::nullopt;
  return Signature{.args = {args[0]->type},
                   .result = AsNullable(DataType::Int(), args[0]->type.nullable)};
}

void CardinalityKernel(const KernelCall& call, Column& out) {
  const std::vector<uint32_t>& offsets = call.args[0].column->offsets;
  for (size_t row = 0; row < call.rows; ++row) {
    const size_t at = call.args[0].index(row);
    out.ints[row] = offsets[at + 1] - offsets[at];
  }
}

// MAP_KEYS and MAP_VALUES: one of the children as an array.
template <size_t kChild>
std::optional<Signature> BindEntries(Args args) {
  if (args.size() != 1 || !IsKind(args[0], TypeKind::kMap)) return std::nullopt;
  DataType array{.kind = TypeKind::kArray, .nullable = args[0]->type.nullable};
  array.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", ChildType(args[0]->type, kChild)}});
  return Signature{.args = {args[0]->type}, .result = std::move(array)};
}

template <size_t kChild>
void EntriesKernel(const KernelCall& call, Column& out) {
  out.offsets = call.args[0].column->offsets;
  out.children = {call.args[0].column->children[kChild]};
}

// ---- Constructors ----

std::optional<DataType> CommonOf(Args args, size_t first, size_t step) {
  DataType common;
  for (size_t i = first; i < args.size(); i += step) {
    const std::optional<DataType> next = CommonTypeOf(common, args[i]->type, false);
    if (!next) return std::nullopt;
    common = *next;
  }
  return common;
}

std::optional<Signature> BindRow(Args args) {
  if (args.empty()) return std::nullopt;
  Signature signature;
  std::vector<Field> fields;
  for (const ExpressionPtr& arg : args) {
    fields.push_back({"EXPR$" + std::to_string(fields.size()), arg->type});
    signature.args.push_back(arg->type);
  }
  signature.result = {.kind = TypeKind::kRow, .nullable = false};
  signature.result.children = std::make_shared<const std::vector<Field>>(std::move(fields));
  return signature;
}

void RowKernel(const KernelCall& call, Column& out) {
  for (size_t i = 0; i < call.args.size(); ++i) {
    Column& child = out.children[i];
    child.Clear();
    for (size_t row = 0; row < call.rows; ++row)
      child.AppendFrom(*call.args[i].column, call.args[i].index(row));
  }
}

std::optional<Signature> BindArray(Args args) {
  const std::optional<DataType> element = CommonOf(args, 0, 1);
  if (args.empty() || !element) return std::nullopt;
  Signature signature{.args = std::vector<DataType>(args.size(), *element),
                      .result = {.kind = TypeKind::kArray, .nullable = false}};
  signature.result.children =
      std::make_shared<const std::vector<Field>>(std::vector<Field>{{"element", *element}});
  return signature;
}

std::optional<Signature> BindMap(Args args) {
  const std::optional<DataType> key = CommonOf(args, 0, 2);
  const std::optional<DataType> value = CommonOf(args, 1, 2);
  if (args.empty() || args.size() % 2 != 0 || !key || !value) return std::nullopt;
  Signature signature{.args = {}, .result = {.kind = TypeKind::kMap, .nullable = false}};
  for (size_t i = 0; i < args.size(); ++i)
    signature.args.push_back(i % 2 == 0 ? *key : *value);
  signature.result.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", *key}, {"value", *value}});
  return signature;
}

// ARRAY and MAP: the arguments go round the children. Of equal keys of a MAP the last one counts.
void EntryListKernel(const KernelCall& call, Column& out) {
  const size_t width = out.children.size();
  out.offsets.assign(1, 0);
  for (Column& child : out.children)
    child.Clear();
  const auto comes_again = [&](size_t key, size_t row) {
    for (size_t i = key + width; i < call.args.size() && width > 1; i += width) {
      const Operand& later = call.args[i];
      const Operand& operand = call.args[key];
      if (IsSameCell(*operand.column, operand.index(row), *later.column, later.index(row))) {
        return true;
      }
    }
    return false;
  };
  for (size_t row = 0; row < call.rows; ++row) {
    for (size_t first = 0; first < call.args.size(); first += width) {
      if (comes_again(first, row)) continue;
      for (size_t i = 0; i < width; ++i) {
        const Operand& operand = call.args[first + i];
        out.children[i].AppendFrom(*operand.column, operand.index(row));
      }
    }
    out.offsets.push_back(static_cast<uint32_t>(out.children[0].size()));
  }
}

// Of a number, an ARRAY of so many elements, for UNNEST: what a row is there for so many times. One
// of less than zero has none.
std::optional<Signature> BindTimes(Args args) {
  if (args.size() != 1 || !args[0]->type.is_integer()) return std::nullopt;
  Signature signature{.args = {DataType::BigInt()},
                      .result = {.kind = TypeKind::kArray, .nullable = true}};
  signature.result.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", DataType::BigInt()}});
  return signature;
}

void TimesKernel(const KernelCall& call, Column& out) {
  out.offsets.assign(1, 0);
  Column& elements = out.children[0];
  elements.Clear();
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t times = call.args[0].is_null(row) ? 0 : call.args[0].int_at(row);
    for (int64_t i = 0; i < times; ++i)
      elements.Append(i, call.arena);
    out.offsets.push_back(static_cast<uint32_t>(elements.size()));
  }
}

}  // namespace

void AddNestedFunctions(FunctionTable& table) {
  const auto add = [&table](const char* name,
                            const char* usage,
                            ScalarFunction::Bind bind,
                            Kernel kernel,
                            Evaluation evaluation) {
    ScalarFunction function{.name = name, .usage = usage, .bind = std::move(bind)};
    function.kernel = kernel;
    function.evaluation = evaluation;
    table.Add(std::move(function));
  };
  add("ROW FIELD", "row.field", BindField, FieldKernel, Evaluation::kStrict);
  add("ITEM", "array[INT] or map[key]", BindItem, ItemKernel, Evaluation::kLoose);
  add("CARDINALITY",
      "CARDINALITY(array or map)",
      BindCardinality,
      CardinalityKernel,
      Evaluation::kStrict);
  add("MAP_KEYS", "MAP_KEYS(map)", BindEntries<0>, EntriesKernel<0>, Evaluation::kStrict);
  add("MAP_VALUES", "MAP_VALUES(map)", BindEntries<1>, EntriesKernel<1>, Evaluation::kStrict);
  add("ROW", "ROW(value, …)", BindRow, RowKernel, Evaluation::kLoose);
  add("ROW TIMES", "rows so often", BindTimes, TimesKernel, Evaluation::kLoose);
  add("ARRAY", "ARRAY[value, …] of a common type", BindArray, EntryListKernel, Evaluation::kLoose);
  add("MAP", "MAP[key, value, …] of common types", BindMap, EntryListKernel, Evaluation::kLoose);
}

}  // namespace slipstream::sql
