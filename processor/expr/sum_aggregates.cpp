#include <algorithm>
#include <memory>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/exact_sum.h"
#include "processor/expr/type_rules.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"

// COUNT, SUM and AVG. Integer and decimal sums are kept in 192 bits, so that only the result can
// overflow, whatever the order of the rows; it is NULL then.

namespace slipstream::sql {
namespace {

using Args = std::span<const ExpressionPtr>;

// ---- COUNT ----

struct CountState {
  int64_t count = 0;
};

// Of several values a row counts that has them all.
bool HasNull(std::span<const Column> args, uint32_t row) {
  return std::any_of(
      args.begin(), args.end(), [row](const Column& arg) { return arg.is_null(row); });
}

class Count final : public TypedAggregate<CountState, Count> {
 public:
  Count() : TypedAggregate("COUNT") {}

  std::string usage() const override { return "COUNT(*) or COUNT(value, …)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    AggregateSignature signature{.args = {}, .result = AsNullable(DataType::BigInt(), false)};
    for (const ExpressionPtr& arg : args)
      signature.args.push_back(arg->type);
    return signature;
  }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    if (args.size() == 1) return TypedAggregate::Update(states, state_offset, rows, args);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!HasNull(args, rows[i])) ++At(states[i] + state_offset).count;
    }
  }
  bool can_retract() const override { return true; }
  void Retract(std::span<std::byte* const> states,
               size_t state_offset,
               std::span<const uint32_t> rows,
               std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!HasNull(args, rows[i])) --At(states[i] + state_offset).count;
    }
  }
  static void Add(CountState& state, const Column&, size_t) { ++state.count; }
  static void Combine(CountState& into, const CountState& from) {
    into.count = AddCounts(into.count, from.count);
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    out.Append(At(state).count, arena);
  }
  void Save(const std::byte* state, std::string& to) const override {
    PutInt64(to, At(state).count);
  }
  Status Restore(std::byte* state, std::string_view& from) const override {
    return TakeCount(from, At(state).count) ? Status() : DamagedState("count");
  }
};

// ---- Exact numbers ----

struct ExactState {
  UInt128 low = 0;
  int64_t high = 0;  // above `low`; the whole is a two's complement number of 192 bits
  int64_t count = 0;

  // Goes round where 192 bits end, which only damaged numbers come to.
  void AddHigh(int64_t value, bool has_carry) {
    const uint64_t sum = static_cast<uint64_t>(high) + static_cast<uint64_t>(value);
    high = static_cast<int64_t>(sum + (has_carry ? 1 : 0));
  }
  void Add(Int128 value) {
    const UInt128 before = low;
    low += static_cast<UInt128>(value);
    AddHigh(value < 0 ? -1 : 0, low < before);
    ++count;
  }
  // nullopt: more than 128 bits.
  std::optional<Int128> Sum() const {
    const auto sum = static_cast<Int128>(low);
    if (high != (sum < 0 ? -1 : 0)) return std::nullopt;
    return sum;
  }
};

template <bool kDecimal, bool kAverage>
class ExactAggregate final : public TypedAggregate<ExactState, ExactAggregate<kDecimal, kAverage>> {
  using Base = TypedAggregate<ExactState, ExactAggregate<kDecimal, kAverage>>;

 public:
  ExactAggregate() : Base(kAverage ? "AVG" : "SUM") {}

  std::string usage() const override { return std::string(this->name()) + "(number)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 1) return std::nullopt;
    const DataType& type = args[0]->type;
    if (!kDecimal) {
      if (!type.is_integer()) return std::nullopt;
      return AggregateSignature{.args = {type}, .result = AsNullable(type)};
    }
    if (type.kind != TypeKind::kDecimal) return std::nullopt;
    if (!kAverage) {
      return AggregateSignature{.args = {type},
                                .result = DataType::Decimal(kMaxDecimalPrecision, type.scale)};
    }
    // The average has at least six digits behind the point; the rows are summed in that scale.
    const int32_t scale = std::max(6, type.scale);
    const int32_t precision = std::min(kMaxDecimalPrecision, type.precision - type.scale + scale);
    return AggregateSignature{.args = {DataType::Decimal(precision, scale)},
                              .result = DataType::Decimal(kMaxDecimalPrecision, scale)};
  }
  static void Add(ExactState& state, const Column& column, size_t row) {
    if constexpr (kDecimal) {
      state.Add(column.decimals[row]);
    } else {
      state.Add(column.ints[row]);
    }
  }
  bool can_retract() const override { return true; }
  void Retract(std::span<std::byte* const> states,
               size_t state_offset,
               std::span<const uint32_t> rows,
               std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (args[0].is_null(rows[i])) continue;
      ExactState& state = Base::At(states[i] + state_offset);
      if constexpr (kDecimal) {
        state.Add(-args[0].decimals[rows[i]]);
      } else {
        state.Add(-static_cast<Int128>(args[0].ints[rows[i]]));
      }
      state.count -= 2;  // Add has counted it once more
    }
  }
  static void Combine(ExactState& into, const ExactState& from) {
    const UInt128 before = into.low;
    into.low += from.low;
    into.AddHigh(from.high, into.low < before);
    into.count = AddCounts(into.count, from.count);
  }

  void Finish(const std::byte* bytes, Column& out, Arena&) const override {
    const ExactState& state = Base::At(bytes);
    const std::optional<Int128> result = state.count == 0 ? std::nullopt : Result(state, out.type);
    if (!result) return out.AppendNull();
    if (out.has_nulls()) out.valid.push_back(1);
    if constexpr (kDecimal) {
      out.decimals.push_back(*result);
    } else {
      out.ints.push_back(static_cast<int64_t>(*result));
    }
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    const ExactState& state = Base::At(bytes);
    PutNumber(to, state.low);
    PutInt64(to, state.high);
    PutInt64(to, state.count);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    ExactState& state = Base::At(bytes);
    const bool is_whole =
        TakeNumber(from, state.low) && TakeInt64(from, state.high) && TakeCount(from, state.count);
    return is_whole ? Status() : DamagedState("exact sum");
  }

 private:
  static std::optional<Int128> Result(const ExactState& state, const DataType& type) {
    std::optional<Int128> result = state.Sum();
    if (!result) return std::nullopt;
    if (!kDecimal) {
      if (kAverage) *result /= state.count;
      return FitsInteger(*result, type.kind) ? result : std::nullopt;
    }
    if (kAverage) result = MultiplyDivide(*result, 1, state.count);
    if (!result) return std::nullopt;
    return FitsPrecision(*result, type.precision) ? result : std::nullopt;
  }
};

// ---- DOUBLE and FLOAT ----

struct DoubleState {
  ExactSum sum;
  int64_t count = 0;
};

template <bool kAverage>
class DoubleAggregate final : public TypedAggregate<DoubleState, DoubleAggregate<kAverage>> {
  using Base = TypedAggregate<DoubleState, DoubleAggregate<kAverage>>;

 public:
  DoubleAggregate() : Base(kAverage ? "AVG" : "SUM") {}

  std::string usage() const override { return std::string(this->name()) + "(number)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 1) return std::nullopt;
    const DataType& type = args[0]->type;
    if (type.kind == TypeKind::kNull) {
      return AggregateSignature{.args = {DataType::Double()}, .result = DataType::Double()};
    }
    if (!type.is_approximate()) return std::nullopt;
    return AggregateSignature{.args = {type}, .result = AsNullable(type)};
  }
  static void Add(DoubleState& state, const Column& column, size_t row) {
    state.sum.Add(column.doubles[row]);
    ++state.count;
  }
  static void Combine(DoubleState& into, const DoubleState& from) {
    into.sum.Add(from.sum);
    into.count = AddCounts(into.count, from.count);
  }
  void Finish(const std::byte* bytes, Column& out, Arena& arena) const override {
    const DoubleState& state = Base::At(bytes);
    if (state.count == 0) return out.AppendNull();
    double result = state.sum.Round();
    if (kAverage) result /= static_cast<double>(state.count);
    if (out.type.kind == TypeKind::kFloat) result = static_cast<double>(static_cast<float>(result));
    out.Append(result, arena);
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    Base::At(bytes).sum.Save(to);
    PutInt64(to, Base::At(bytes).count);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    DoubleState& state = Base::At(bytes);
    RETURN_IF_ERROR(state.sum.Restore(from));
    return TakeCount(from, state.count) ? Status() : DamagedState("sum");
  }
};

}  // namespace

void AddSumAggregates(AggregateList& list) {
  list.push_back(std::make_unique<Count>());
  list.push_back(std::make_unique<ExactAggregate<false, false>>());
  list.push_back(std::make_unique<ExactAggregate<true, false>>());
  list.push_back(std::make_unique<DoubleAggregate<false>>());
  list.push_back(std::make_unique<ExactAggregate<false, true>>());
  list.push_back(std::make_unique<ExactAggregate<true, true>>());
  list.push_back(std::make_unique<DoubleAggregate<true>>());
}

}  // namespace slipstream::sql
