#include <cmath>
#include <memory>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/exact_sum.h"
#include "processor/expr/type_rules.h"

// VAR_POP, VAR_SAMP, VARIANCE, STDDEV_POP, STDDEV_SAMP, STDDEV: from the exact sums of the values
// and of their squares, combined in quadruple precision, so that neither order nor the usual
// cancellation shows in the result.

namespace slipstream::sql {
namespace {

// NOLINTNEXTLINE(modernize-use-using): __extension__ keeps -Wpedantic quiet
__extension__ typedef __float128 Quad;

struct DeviationState {
  ExactSum sum;
  ExactSum squares;
  int64_t count = 0;
};

// The sum to 106 bits: the nearest double and what is left over, rounded.
Quad RoundToQuad(const ExactSum& sum) {
  const double high = sum.Round();
  if (!std::isfinite(high)) return static_cast<Quad>(high);
  ExactSum rest = sum;
  rest.Add(-high);
  return static_cast<Quad>(high) + static_cast<Quad>(rest.Round());
}

class Deviation final : public TypedAggregate<DeviationState, Deviation> {
 public:
  struct Form {
    bool is_sample = false;
    bool is_root = false;
  };
  Deviation(const char* name, Form form) : TypedAggregate(name), form_(form) {}

  std::string usage() const override { return std::string(name()) + "(number)"; }
  std::optional<AggregateSignature> Bind(std::span<const ExpressionPtr> args) const override {
    if (args.size() != 1 || !args[0]->type.is_numeric()) return std::nullopt;
    // As AVG: of integers an integer.
    const DataType& type = args[0]->type;
    return AggregateSignature{
        .args = {DataType::Double()},
        .result = AsNullable(type.kind == TypeKind::kDecimal ? DataType::Double() : type)};
  }
  static void Add(DeviationState& state, const Column& column, size_t row) {
    const double value = column.doubles[row];
    const double square = value * value;
    state.sum.Add(value);
    state.squares.Add(square);
    if (std::isfinite(square)) state.squares.Add(std::fma(value, value, -square));
    ++state.count;
  }
  static void Combine(DeviationState& into, const DeviationState& from) {
    into.sum.Add(from.sum);
    into.squares.Add(from.squares);
    into.count = AddCounts(into.count, from.count);
  }
  void Finish(const std::byte* bytes, Column& out, Arena& arena) const override {
    const DeviationState& state = At(bytes);
    const int64_t divisor = form_.is_sample ? state.count - 1 : state.count;
    if (divisor <= 0) return out.AppendNull();
    const Quad sum = RoundToQuad(state.sum);
    const Quad squares = RoundToQuad(state.squares);
    const Quad spread = squares - sum * sum / static_cast<Quad>(state.count);
    auto result = static_cast<double>(spread / static_cast<Quad>(divisor));
    if (result < 0) result = 0;
    if (form_.is_root) result = std::sqrt(result);
    if (out.type.is_integer()) {
      // A deviation is never beyond the values' own range; a variance can be.
      if (!(result < 9.2e18)) return out.AppendNull();
      out.Append(static_cast<int64_t>(result), arena);
      return;
    }
    if (out.type.kind == TypeKind::kFloat) result = static_cast<double>(static_cast<float>(result));
    out.Append(result, arena);
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    At(bytes).sum.Save(to);
    At(bytes).squares.Save(to);
    PutInt64(to, At(bytes).count);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    DeviationState& state = At(bytes);
    RETURN_IF_ERROR(state.sum.Restore(from));
    RETURN_IF_ERROR(state.squares.Restore(from));
    return TakeCount(from, state.count) ? Status() : DamagedState("deviation");
  }

 private:
  const Form form_;
};

}  // namespace

void AddDeviationAggregates(AggregateList& list) {
  const auto add = [&list](const char* name, Deviation::Form form) {
    list.push_back(std::make_unique<Deviation>(name, form));
  };
  add("VAR_POP", {.is_sample = false, .is_root = false});
  add("VAR_SAMP", {.is_sample = true, .is_root = false});
  add("VARIANCE", {.is_sample = true, .is_root = false});
  add("STDDEV_POP", {.is_sample = false, .is_root = true});
  add("STDDEV_SAMP", {.is_sample = true, .is_root = true});
  add("STDDEV", {.is_sample = true, .is_root = true});
}

}  // namespace slipstream::sql
