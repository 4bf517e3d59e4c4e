#include <memory>
#include <string>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/type_rules.h"

// MIN, MAX, FIRST_VALUE and LAST_VALUE.

namespace slipstream::sql {
namespace {

using Args = std::span<const ExpressionPtr>;

enum class Pick { kMin, kMax, kFirst, kLast };

constexpr const char* NameOf(Pick pick) {
  switch (pick) {
    case Pick::kMin:
      return "MIN";
    case Pick::kMax:
      return "MAX";
    case Pick::kFirst:
      return "FIRST_VALUE";
    default:
      return "LAST_VALUE";
  }
}

// One physical kind: how a value lies in a column and how it is kept.
struct BoolTraits {
  using Kept = uint8_t;
  static constexpr PhysicalKind kKind = PhysicalKind::kBool;
  static uint8_t Read(const Column& column, size_t row) { return column.bools[row]; }
  static void Append(Column& column, Kept value, Arena&) { column.bools.push_back(value); }
};
struct IntTraits {
  using Kept = int64_t;
  static constexpr PhysicalKind kKind = PhysicalKind::kInt64;
  static int64_t Read(const Column& column, size_t row) { return column.ints[row]; }
  static void Append(Column& column, Kept value, Arena&) { column.ints.push_back(value); }
};
struct DoubleTraits {
  using Kept = double;
  static constexpr PhysicalKind kKind = PhysicalKind::kDouble;
  static double Read(const Column& column, size_t row) { return column.doubles[row]; }
  static void Append(Column& column, Kept value, Arena&) { column.doubles.push_back(value); }
};
struct DecimalTraits {
  using Kept = Int128;
  static constexpr PhysicalKind kKind = PhysicalKind::kInt128;
  static Int128 Read(const Column& column, size_t row) { return column.decimals[row]; }
  static void Append(Column& column, Kept value, Arena&) { column.decimals.push_back(value); }
};
struct TextTraits {
  using Kept = std::string;
  static constexpr PhysicalKind kKind = PhysicalKind::kString;
  static std::string_view Read(const Column& column, size_t row) { return column.strings[row]; }
  static void Append(Column& column, const Kept& value, Arena& arena) {
    column.strings.push_back(arena.Copy(value));
  }
};

template <class Kept>
void PutKept(std::string& to, const Kept& value) {
  if constexpr (std::is_same_v<Kept, std::string>) {
    PutText(to, value);
  } else {
    PutNumber(to, value);
  }
}
template <class Kept>
bool TakeKept(std::string_view& from, Kept& value) {
  if constexpr (std::is_same_v<Kept, std::string>) {
    std::string_view text;
    const bool is_whole = TakeText(from, text);
    value = text;
    return is_whole;
  } else {
    return TakeNumber(from, value);
  }
}

template <class Kept>
struct PickState {
  Kept value{};
  bool has_value = false;
};

// NULL of no value.
template <class Traits>
void FinishPick(const PickState<typename Traits::Kept>& state, Column& out, Arena& arena) {
  if (!state.has_value) return out.AppendNull();
  if (out.has_nulls()) out.valid.push_back(1);
  Traits::Append(out, state.value, arena);
}

// As Java compares doubles: NaN is above everything, so that MIN and MAX do not depend on order.
template <class A, class B>
bool IsLess(const A& a, const B& b) {
  if constexpr (std::is_same_v<A, double>) {
    if (a != a) return false;
    if (b != b) return true;
  }
  return a < b;
}

// FIRST_VALUE and LAST_VALUE over rows that come in any order: the last argument says where each
// was to stand.
template <class Kept>
struct OrderedPickState : PickState<Kept> {
  std::string order;
};

template <Pick kPick, class Traits>
class OrderedPick final
    : public StateAggregate<OrderedPickState<typename Traits::Kept>, OrderedPick<kPick, Traits>> {
  using Kept = typename Traits::Kept;
  using State = OrderedPickState<Kept>;
  using Base = StateAggregate<State, OrderedPick<kPick, Traits>>;

 public:
  OrderedPick() : Base(NameOf(kPick)) {}

  std::string usage() const override { return std::string(NameOf(kPick)) + "(value, order)"; }
  std::optional<AggregateSignature> Bind(Args) const override { return std::nullopt; }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t row = rows[i];
      if (args[0].is_null(row)) continue;
      Offer(Base::At(states[i] + state_offset), Traits::Read(args[0], row), args[1].strings[row]);
    }
  }
  static void Combine(State& into, const State& from) {
    if (from.has_value) Offer(into, from.value, from.order);
  }
  void Finish(const std::byte* bytes, Column& out, Arena& arena) const override {
    FinishPick<Traits>(Base::At(bytes), out, arena);
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    const State& state = Base::At(bytes);
    PutByte(to, state.has_value ? 1 : 0);
    PutText(to, state.order);
    PutKept(to, state.value);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    State& state = Base::At(bytes);
    uint8_t has_value = 0;
    std::string_view order;
    if (!TakeByte(from, has_value) || !TakeText(from, order) || !TakeKept(from, state.value)) {
      return DamagedState(NameOf(kPick));
    }
    state.order = order;
    state.has_value = has_value != 0;
    return {};
  }

 private:
  template <class Candidate>
  static void Offer(State& state, const Candidate& candidate, std::string_view order) {
    if (state.has_value && (kPick == Pick::kFirst ? order >= state.order : order <= state.order)) {
      return;
    }
    state.value = candidate;
    state.order = order;
    state.has_value = true;
  }
};

template <Pick kPick, class Traits>
class PickAggregate final
    : public TypedAggregate<PickState<typename Traits::Kept>, PickAggregate<kPick, Traits>> {
  using State = PickState<typename Traits::Kept>;
  using Base = TypedAggregate<State, PickAggregate<kPick, Traits>>;

 public:
  PickAggregate() : Base(NameOf(kPick)) {}

  std::string usage() const override { return std::string(NameOf(kPick)) + "(value)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 1 || PhysicalKindOf(args[0]->type.kind) != Traits::kKind) {
      return std::nullopt;
    }
    return AggregateSignature{.args = {args[0]->type}, .result = AsNullable(args[0]->type)};
  }
  bool depends_on_order() const override { return kPick == Pick::kFirst || kPick == Pick::kLast; }
  const AggregateFunction* ordered() const override {
    if constexpr (kPick == Pick::kFirst || kPick == Pick::kLast) {
      static const OrderedPick<kPick, Traits> function;
      return &function;
    }
    return nullptr;
  }
  static void Add(State& state, const Column& column, size_t row) {
    Offer(state, Traits::Read(column, row));
  }
  static void Combine(State& into, const State& from) {
    if (from.has_value) Offer(into, from.value);
  }
  void Finish(const std::byte* bytes, Column& out, Arena& arena) const override {
    FinishPick<Traits>(Base::At(bytes), out, arena);
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    const State& state = Base::At(bytes);
    PutByte(to, state.has_value ? 1 : 0);
    PutKept(to, state.value);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    State& state = Base::At(bytes);
    uint8_t has_value = 0;
    const bool is_whole = TakeByte(from, has_value) && TakeKept(from, state.value);
    state.has_value = has_value != 0;
    return is_whole ? Status() : DamagedState(NameOf(kPick));
  }

 private:
  template <class Candidate>
  static void Offer(State& state, const Candidate& candidate) {
    if (state.has_value) {
      if (kPick == Pick::kFirst) return;
      if (kPick == Pick::kMin && !IsLess(candidate, state.value)) return;
      if (kPick == Pick::kMax && !IsLess(state.value, candidate)) return;
    }
    state.value = candidate;
    state.has_value = true;
  }
};

template <Pick kPick>
void AddPicks(AggregateList& list) {
  list.push_back(std::make_unique<PickAggregate<kPick, IntTraits>>());
  list.push_back(std::make_unique<PickAggregate<kPick, DoubleTraits>>());
  list.push_back(std::make_unique<PickAggregate<kPick, TextTraits>>());
  list.push_back(std::make_unique<PickAggregate<kPick, DecimalTraits>>());
  list.push_back(std::make_unique<PickAggregate<kPick, BoolTraits>>());
}

}  // namespace

void AddValueAggregates(AggregateList& list) {
  AddPicks<Pick::kMin>(list);
  AddPicks<Pick::kMax>(list);
  AddPicks<Pick::kFirst>(list);
  AddPicks<Pick::kLast>(list);
}

}  // namespace slipstream::sql
