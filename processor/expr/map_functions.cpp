#include <algorithm>
#include <string>
#include <utility>

#include "processor/expr/function_table.h"
#include "processor/expr/list_cells.h"
#include "processor/expr/type_rules.h"

// Functions of whole MAPs.

namespace slipstream::sql {
namespace {

using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

std::optional<Signature> BindMapEntries(Args args) {
  if (args.size() != 1 || args[0]->type.kind != TypeKind::kMap) return std::nullopt;
  DataType entry{.kind = TypeKind::kRow, .nullable = false};
  entry.children = args[0]->type.children;
  return Signature{.args = {args[0]->type},
                   .result = ArrayOf(std::move(entry), args[0]->type.nullable)};
}

void MapEntriesKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    for (uint32_t i = entries.begin; i < entries.end; ++i) {
      for (size_t part = 0; part < 2; ++part)
        result.child().children[part].AppendFrom(entries.column->children[part], i);
    }
  });
}

std::optional<Signature> BindMapFromArrays(Args args) {
  if (args.size() != 2 || args[0]->type.kind != TypeKind::kArray ||
      args[1]->type.kind != TypeKind::kArray)
    return std::nullopt;
  return Signature{
      .args = {args[0]->type, args[1]->type},
      .result = MapOf(ElementType(args[0]->type), ElementType(args[1]->type), AnyIsNullable(args))};
}

void MapFromArraysKernel(const KernelCall& call, Column& out) {
  std::vector<uint8_t> fits(call.rows, 1);
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries keys(call.args[0], row);
    const Entries values(call.args[1], row);
    if (keys.size() != values.size()) {
      fits[row] = 0;
      call.errors.Add(row, "MAP_FROM_ARRAYS of arrays of different lengths");
      return;
    }
    for (uint32_t i = 0; i < keys.size(); ++i) {
      const uint32_t key = keys.begin + i;
      // Of equal keys the last one counts.
      if (FindCell(keys.values(), key + 1, keys.end, keys.values(), key) < keys.end) continue;
      result.child(0).AppendFrom(keys.values(), key);
      result.child(1).AppendFrom(values.values(), values.begin + i);
    }
  });
  for (size_t row = 0; row < call.rows; ++row) {
    if (fits[row] == 0) SetListNull(out, call.rows, row);
  }
}

std::optional<Signature> BindMapUnion(Args args) {
  if (args.empty()) return std::nullopt;
  DataType key;
  DataType value;
  for (const ExpressionPtr& arg : args) {
    if (arg->type.kind != TypeKind::kMap) return std::nullopt;
    const std::vector<Field>& parts = *arg->type.children;
    const std::optional<DataType> next_key = CommonTypeOf(key, parts[0].type, false);
    const std::optional<DataType> next_value = CommonTypeOf(value, parts[1].type, false);
    if (!next_key || !next_value) return std::nullopt;
    key = *next_key;
    value = *next_value;
  }
  const DataType map = MapOf(key, value, AnyIsNullable(args));
  return Signature{.args = std::vector<DataType>(args.size(), map), .result = map};
}

// Of equal keys the last map's counts.
void MapUnionKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    for (size_t arg = 0; arg < call.args.size(); ++arg) {
      const Entries entries(call.args[arg], row);
      const auto is_later = [&](uint32_t i) {
        for (const Operand& other : call.args.subspan(arg + 1)) {
          const Entries others(other, row);
          const uint32_t found =
              FindCell(others.values(), others.begin, others.end, entries.values(), i);
          if (found < others.end) return true;
        }
        return false;
      };
      for (uint32_t i = entries.begin; i < entries.end; ++i) {
        if (is_later(i)) continue;
        for (size_t part = 0; part < 2; ++part)
          result.child(part).AppendFrom(entries.column->children[part], i);
      }
    }
  });
}

}  // namespace

void AddMapFunctions(FunctionTable& table) {
  const auto add =
      [&table](const char* name, const char* arguments, ScalarFunction::Bind bind, Kernel kernel) {
        ScalarFunction function{.name = name, .usage = std::string(name) + arguments};
        function.bind = std::move(bind);
        function.kernel = kernel;
        table.Add(std::move(function));
      };
  add("MAP_ENTRIES", "(map)", BindMapEntries, MapEntriesKernel);
  add("MAP_FROM_ARRAYS",
      "(array of keys, array of values)",
      BindMapFromArrays,
      MapFromArraysKernel);
  add("MAP_UNION", "(map, …) of a common type", BindMapUnion, MapUnionKernel);
}

}  // namespace slipstream::sql
