#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"

// ARRAY_AGG.

namespace slipstream::sql {
namespace {

using Args = std::span<const ExpressionPtr>;

void PutValue(std::string& to, const Value& value) {
  PutByte(to, IsNull(value) ? 0 : 1);
  std::visit(
      [&to](const auto& content) {
        using Content = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<Content, std::string>) {
          PutText(to, content);
        } else if constexpr (std::is_same_v<Content, bool>) {
          PutByte(to, content ? 1 : 0);
        } else if constexpr (!std::is_same_v<Content, std::monostate>) {
          PutNumber(to, content);
        }
      },
      value);
}

template <class Number>
bool TakeInto(std::string_view& from, Value& value) {
  Number number{};
  if (!TakeNumber(from, number)) return false;
  value = number;
  return true;
}

bool TakeValue(std::string_view& from, PhysicalKind kind, Value& value) {
  uint8_t is_there = 0;
  if (!TakeByte(from, is_there)) return false;
  if (is_there == 0) return true;
  switch (kind) {
    case PhysicalKind::kBool: {
      uint8_t truth = 0;
      if (!TakeByte(from, truth)) return false;
      value = truth != 0;
      return true;
    }
    case PhysicalKind::kInt64:
      return TakeInto<int64_t>(from, value);
    case PhysicalKind::kDouble:
      return TakeInto<double>(from, value);
    case PhysicalKind::kInt128:
      return TakeInto<Int128>(from, value);
    default: {
      std::string_view text;
      if (!TakeText(from, text)) return false;
      value = std::string(text);
      return true;
    }
  }
}

// Appends an array of the values in `range`; NULL of none.
template <class Range, class ValueOf>
void AppendArray(const Range& range, ValueOf value_of, Column& out, Arena& arena) {
  if (range.empty()) return out.AppendNull();
  if (out.has_nulls()) out.valid.push_back(1);
  if (out.offsets.empty()) out.offsets.push_back(0);
  for (const auto& item : range)
    out.children[0].Append(value_of(item), arena);
  out.offsets.push_back(static_cast<uint32_t>(out.children[0].size()));
}

struct ArrayForm {
  PhysicalKind kind = PhysicalKind::kInt64;
  bool ignores_nulls = false;

  const char* name() const { return ignores_nulls ? "ARRAY_AGG IGNORE NULLS" : "ARRAY_AGG"; }
};

class OrderedArray final : public OrderedAggregate<Value, OrderedArray> {
 public:
  static constexpr char kFunction[] = "ARRAY_AGG";

  explicit OrderedArray(ArrayForm form) : OrderedAggregate(form.name()), form_(form) {}

  std::string usage() const override { return "ARRAY_AGG(value, order)"; }
  std::optional<Value> ItemOf(std::span<const Column> args, uint32_t row) const {
    if (form_.ignores_nulls && args[0].is_null(row)) return std::nullopt;
    return args[0].ValueAt(row);
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    AppendArray(
        At(state).items, [](const auto& entry) { return entry.second; }, out, arena);
  }
  static void PutItem(const Value& value, std::string& to) { PutValue(to, value); }
  bool TakeItem(std::string_view& from, Value& value) const {
    return TakeValue(from, form_.kind, value);
  }

 private:
  const ArrayForm form_;
};

struct ArrayState {
  std::vector<Value> values;
};

class ArrayAggregate final : public StateAggregate<ArrayState, ArrayAggregate> {
 public:
  explicit ArrayAggregate(ArrayForm form)
      : StateAggregate(form.name()), form_(form), ordered_(form) {}

  std::string usage() const override { return "ARRAY_AGG(value)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 1 || PhysicalKindOf(args[0]->type.kind) != form_.kind) return std::nullopt;
    return AggregateSignature{.args = {args[0]->type}, .result = ArrayOf(args[0]->type, true)};
  }
  bool depends_on_order() const override { return true; }
  const AggregateFunction* ordered() const override { return &ordered_; }
  bool grows() const override { return true; }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (form_.ignores_nulls && args[0].is_null(rows[i])) continue;
      At(states[i] + state_offset).values.push_back(args[0].ValueAt(rows[i]));
    }
  }
  static void Combine(ArrayState& into, const ArrayState& from) {
    into.values.insert(into.values.end(), from.values.begin(), from.values.end());
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    AppendArray(
        At(state).values, [](const Value& value) -> const Value& { return value; }, out, arena);
  }
  void Save(const std::byte* state, std::string& to) const override {
    PutNumber(to, static_cast<uint32_t>(At(state).values.size()));
    for (const Value& value : At(state).values)
      PutValue(to, value);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    uint32_t count = 0;
    if (!TakeNumber(from, count)) return DamagedState("ARRAY_AGG");
    for (uint32_t i = 0; i < count; ++i) {
      Value value;
      if (!TakeValue(from, form_.kind, value)) return DamagedState("ARRAY_AGG");
      At(bytes).values.push_back(std::move(value));
    }
    return {};
  }

 private:
  const ArrayForm form_;
  const OrderedArray ordered_;
};

}  // namespace

void AddArrayAggregate(AggregateList& list) {
  for (const bool ignores_nulls : {false, true}) {
    for (const PhysicalKind kind : {PhysicalKind::kInt64,
                                    PhysicalKind::kDouble,
                                    PhysicalKind::kString,
                                    PhysicalKind::kInt128,
                                    PhysicalKind::kBool}) {
      list.push_back(std::make_unique<ArrayAggregate>(
          ArrayForm{.kind = kind, .ignores_nulls = ignores_nulls}));
    }
  }
}

}  // namespace slipstream::sql
