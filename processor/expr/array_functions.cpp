#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "processor/expr/function_table.h"
#include "processor/expr/list_cells.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"

// Functions of whole ARRAYs. Places are counted from 1.

namespace slipstream::sql {
namespace {

using Evaluation = ScalarFunction::Evaluation;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

bool IsArray(const ExpressionPtr& arg) {
  return arg->type.kind == TypeKind::kArray;
}

// ---- Arrays from arrays ----

// Arrays only, at least `least` of them; the result is of their common type.
std::optional<Signature> BindArrays(Args args, size_t least, size_t most) {
  if (args.size() < least || args.size() > most) return std::nullopt;
  DataType element;
  for (const ExpressionPtr& arg : args) {
    if (!IsArray(arg)) return std::nullopt;
    const std::optional<DataType> next = CommonTypeOf(element, ElementType(arg->type), false);
    if (!next) return std::nullopt;
    element = *next;
  }
  const DataType array = ArrayOf(element, AnyIsNullable(args));
  return Signature{.args = std::vector<DataType>(args.size(), array), .result = array};
}

template <size_t kLeast, size_t kMost>
std::optional<Signature> BindArrays(Args args) {
  return BindArrays(args, kLeast, kMost);
}

void ConcatKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    for (const Operand& arg : call.args) {
      const Entries entries(arg, row);
      for (uint32_t i = entries.begin; i < entries.end; ++i)
        result.Add(entries.values(), i);
    }
  });
}

// ARRAY_UNION, and of one argument ARRAY_DISTINCT.
void UnionKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    for (const Operand& arg : call.args) {
      const Entries entries(arg, row);
      for (uint32_t i = entries.begin; i < entries.end; ++i)
        result.AddOnce(entries.values(), i);
    }
  });
}

// ARRAY_INTERSECT (kShared) and ARRAY_EXCEPT: what the second array has, or has not.
template <bool kShared>
void ShareKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    const Entries others(call.args[1], row);
    CellIndex index(others.values(), others.begin);
    for (uint32_t i = others.begin; i < others.end; ++i)
      index.Add();
    for (uint32_t i = entries.begin; i < entries.end; ++i) {
      if (index.Holds(entries.values(), i) == kShared) result.AddOnce(entries.values(), i);
    }
  });
}

void ReverseKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    for (uint32_t i = entries.end; i > entries.begin; --i)
      result.Add(entries.values(), i - 1);
  });
}

// ARRAY_SLICE(array, first[, last]): places below zero count from the end, and 0 is the first.
void SliceKernel(const KernelCall& call, Column& out) {
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    const auto size = static_cast<int64_t>(entries.size());
    const auto index_at = [&](size_t arg) {
      const int64_t place = call.args[arg].int_at(row);
      return place > 0 ? place - 1 : place == 0 ? 0 : std::max(size + place, int64_t{-1});
    };
    const int64_t first = std::max<int64_t>(index_at(1), 0);
    const int64_t last = call.args.size() > 2 ? index_at(2) : size - 1;
    for (int64_t i = first; i <= std::min(last, size - 1); ++i)
      result.Add(entries.values(), entries.begin + static_cast<uint32_t>(i));
  });
}

std::optional<Signature> BindSlice(Args args) {
  if (args.size() < 2 || args.size() > 3 || !IsArray(args[0])) return std::nullopt;
  Signature signature{.args = {args[0]->type},
                      .result = AsNullable(args[0]->type, AnyIsNullable(args))};
  for (const ExpressionPtr& arg : args.subspan(1)) {
    if (!FitParam(FunctionTable::Param::kInteger, arg->type)) return std::nullopt;
    signature.args.push_back(DataType::BigInt());
  }
  return signature;
}

// ARRAY_SORT(array[, ascending[, nulls first]]): NULLs are first of what ascends, unless told.
void SortKernel(const KernelCall& call, Column& out) {
  std::vector<uint32_t> order;
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    const bool is_ascending = call.args.size() < 2 || call.args[1].bool_at(row);
    const bool is_null_first = call.args.size() < 3 ? is_ascending : call.args[2].bool_at(row);
    const Column& values = entries.values();
    order.resize(entries.size());
    std::iota(order.begin(), order.end(), entries.begin);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (values.is_null(a) || values.is_null(b)) {
        return values.is_null(a) != values.is_null(b) && values.is_null(a) == is_null_first;
      }
      const int comparison = CompareCells(values, a, values, b);
      return is_ascending ? comparison < 0 : comparison > 0;
    });
    for (const uint32_t i : order)
      result.Add(values, i);
  });
}

std::optional<Signature> BindSort(Args args) {
  if (args.empty() || args.size() > 3 || !IsArray(args[0]) ||
      !HasOrder(ElementType(args[0]->type))) {
    return std::nullopt;
  }
  Signature signature{.args = {args[0]->type},
                      .result = AsNullable(args[0]->type, AnyIsNullable(args))};
  for (const ExpressionPtr& arg : args.subspan(1)) {
    if (!FitParam(FunctionTable::Param::kBoolean, arg->type)) return std::nullopt;
    signature.args.push_back(DataType::Boolean());
  }
  return signature;
}

// ---- An array and an element ----

// The array with room for the element in its type.
std::optional<Signature> BindWithElement(Args args) {
  if (args.size() != 2 || !IsArray(args[0])) return std::nullopt;
  std::optional<DataType> element = CommonTypeOf(ElementType(args[0]->type), args[1]->type, false);
  if (!element) return std::nullopt;
  if (args[1]->type.nullable || args[1]->type.kind == TypeKind::kNull) element->nullable = true;
  const DataType array = ArrayOf(*element, args[0]->type.nullable);
  return Signature{.args = {array, *element}, .result = array};
}

// ARRAY_APPEND and ARRAY_PREPEND.
template <bool kFront>
void AppendKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.args[0].is_null(row)) SetListNull(out, call.rows, row);
  }
  const Operand& element = call.args[1];
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    if (kFront) result.Add(*element.column, element.index(row));
    for (uint32_t i = entries.begin; i < entries.end; ++i)
      result.Add(entries.values(), i);
    if (!kFront) result.Add(*element.column, element.index(row));
  });
}

void RemoveKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.args[0].is_null(row)) SetListNull(out, call.rows, row);
  }
  const Operand& unwanted = call.args[1];
  FillLists(call, out, [&](size_t row, ListResult& result) {
    const Entries entries(call.args[0], row);
    for (uint32_t i = entries.begin; i < entries.end; ++i) {
      if (!IsSameCell(entries.values(), i, *unwanted.column, unwanted.index(row))) {
        result.Add(entries.values(), i);
      }
    }
  });
}

std::optional<Signature> BindSearch(Args args, const DataType& result) {
  std::optional<Signature> signature = BindWithElement(args);
  if (signature) signature->result = AsNullable(result, AnyIsNullable(args));
  return signature;
}

// A NULL may be looked for.
void ContainsKernel(const KernelCall& call, Column& out) {
  const Operand& wanted = call.args[1];
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.args[0].is_null(row)) {
      out.SetNull(row);
      continue;
    }
    const Entries entries(call.args[0], row);
    const uint32_t found =
        FindCell(entries.values(), entries.begin, entries.end, *wanted.column, wanted.index(row));
    out.bools[row] = found < entries.end ? 1 : 0;
  }
}

void PositionKernel(const KernelCall& call, Column& out) {
  const Operand& wanted = call.args[1];
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const Entries entries(call.args[0], row);
    const uint32_t found =
        FindCell(entries.values(), entries.begin, entries.end, *wanted.column, wanted.index(row));
    out.ints[row] = found < entries.end ? found - entries.begin + 1 : 0;
  }
}

// ---- One value from an array ----

std::optional<Signature> BindValue(Args args) {
  if (args.size() != 1 || !IsArray(args[0])) return std::nullopt;
  return Signature{.args = {args[0]->type}, .result = AsNullable(ElementType(args[0]->type))};
}

std::optional<Signature> BindExtreme(Args args) {
  std::optional<Signature> signature = BindValue(args);
  if (signature && !HasOrder(signature->result)) return std::nullopt;
  return signature;
}

// The result is the element that `pick` chooses of a row's; nullopt: NULL.
template <class Pick>
void PickElements(const KernelCall& call, Column& out, Pick pick) {
  Column picked(out.type);
  for (size_t row = 0; row < call.rows; ++row) {
    std::optional<uint32_t> element;
    if (!out.is_null(row)) element = pick(row, Entries(call.args[0], row));
    if (element) {
      picked.AppendFrom(call.args[0].column->children[0], *element);
    } else {
      picked.AppendNull();
    }
  }
  out = std::move(picked);
}

// ARRAY_MAX (kSign = 1) and ARRAY_MIN; NULLs do not count.
template <int kSign>
void ExtremeKernel(const KernelCall& call, Column& out) {
  PickElements(call, out, [](size_t, const Entries& entries) {
    std::optional<uint32_t> best;
    for (uint32_t i = entries.begin; i < entries.end; ++i) {
      if (entries.values().is_null(i)) continue;
      const bool is_better =
          !best || CompareCells(entries.values(), i, entries.values(), *best) * kSign > 0;
      if (is_better) best = i;
    }
    return best;
  });
}

// The only element.
void ElementKernel(const KernelCall& call, Column& out) {
  PickElements(call, out, [&](size_t row, const Entries& entries) -> std::optional<uint32_t> {
    if (entries.size() > 1) call.errors.Add(row, "ELEMENT of an array with more than one");
    if (entries.size() != 1) return std::nullopt;
    return entries.begin;
  });
}

// ARRAY_JOIN(array, separator[, text of NULL]): without the third, NULLs are left out.
void JoinKernel(const KernelCall& call, Column& out) {
  std::string joined;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const Entries entries(call.args[0], row);
    joined.clear();
    bool is_first = true;
    for (uint32_t i = entries.begin; i < entries.end; ++i) {
      const bool is_null = entries.values().is_null(i);
      if (is_null && call.args.size() < 3) continue;
      if (!std::exchange(is_first, false)) joined += call.args[1].string_at(row);
      joined += is_null ? call.args[2].string_at(row) : entries.values().strings[i];
    }
    out.strings[row] = call.arena.Copy(joined);
  }
}

std::optional<Signature> BindJoin(Args args) {
  if (args.size() < 2 || args.size() > 3 || !IsArray(args[0]) ||
      !ElementType(args[0]->type).is_string()) {
    return std::nullopt;
  }
  Signature signature{.args = {args[0]->type},
                      .result = AsNullable(DataType::String(), AnyIsNullable(args))};
  for (const ExpressionPtr& arg : args.subspan(1)) {
    if (!FitParam(FunctionTable::Param::kString, arg->type)) return std::nullopt;
    signature.args.push_back(DataType::String());
  }
  return signature;
}

}  // namespace

void AddArrayFunctions(FunctionTable& table) {
  const auto add = [&table](const char* name,
                            const char* arguments,
                            ScalarFunction::Bind bind,
                            Kernel kernel,
                            Evaluation evaluation = Evaluation::kStrict) {
    ScalarFunction function{.name = name, .usage = std::string(name) + arguments};
    function.bind = std::move(bind);
    function.kernel = kernel;
    function.evaluation = evaluation;
    table.Add(std::move(function));
  };
  constexpr size_t kAny = SIZE_MAX;
  add("ARRAY_CONCAT", "(array, …) of a common type", BindArrays<1, kAny>, ConcatKernel);
  add("ARRAY_UNION", "(array, array) of a common type", BindArrays<2, 2>, UnionKernel);
  add("ARRAY_DISTINCT", "(array)", BindArrays<1, 1>, UnionKernel);
  add("ARRAY_INTERSECT", "(array, array) of a common type", BindArrays<2, 2>, ShareKernel<true>);
  add("ARRAY_EXCEPT", "(array, array) of a common type", BindArrays<2, 2>, ShareKernel<false>);
  add("ARRAY_REVERSE", "(array)", BindArrays<1, 1>, ReverseKernel);
  add("ARRAY_SLICE", "(array, INT[, INT])", BindSlice, SliceKernel);
  add("ARRAY_SORT", "(array[, BOOLEAN[, BOOLEAN]])", BindSort, SortKernel);
  add("ARRAY_APPEND", "(array, element)", BindWithElement, AppendKernel<false>, Evaluation::kLoose);
  add("ARRAY_PREPEND", "(array, element)", BindWithElement, AppendKernel<true>, Evaluation::kLoose);
  add("ARRAY_REMOVE", "(array, element)", BindWithElement, RemoveKernel, Evaluation::kLoose);
  add(
      "ARRAY_CONTAINS",
      "(array, element)",
      [](Args args) { return BindSearch(args, DataType::Boolean()); },
      ContainsKernel,
      Evaluation::kLoose);
  add(
      "ARRAY_POSITION",
      "(array, element)",
      [](Args args) { return BindSearch(args, DataType::Int()); },
      PositionKernel);
  add("ARRAY_MAX", "(array)", BindExtreme, ExtremeKernel<1>);
  add("ARRAY_MIN", "(array)", BindExtreme, ExtremeKernel<-1>);
  add("ELEMENT", "(array)", BindValue, ElementKernel);
  add("ARRAY_JOIN", "(array of STRING, STRING[, STRING])", BindJoin, JoinKernel);
}

}  // namespace slipstream::sql
