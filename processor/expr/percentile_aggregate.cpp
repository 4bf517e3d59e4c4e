#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/type_rules.h"

// PERCENTILE(value, share[, frequency]): exact, between two values in proportion, as in Flink. All
// values are kept until the result is read.

namespace slipstream::sql {
namespace {

// As Java orders doubles: NaN is above everything.
struct Below {
  bool operator()(double a, double b) const {
    if (a != a) return false;
    return b != b || a < b;
  }
};

// Frequencies are what users give: their sums go round, as Java's do, rather than be undefined.
int64_t Sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t Difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

struct PercentileState {
  std::map<double, int64_t, Below> counts;
  int64_t count = 0;
  double share = 0.5;
};

class Percentile final : public TypedAggregate<PercentileState, Percentile> {
 public:
  Percentile() : TypedAggregate("PERCENTILE") {}

  std::string usage() const override { return "PERCENTILE(number, share from 0 to 1[, INT])"; }
  std::optional<AggregateSignature> Bind(std::span<const ExpressionPtr> args) const override {
    if (args.size() < 2 || args.size() > 3 || !args[0]->type.is_numeric() ||
        !args[1]->type.is_numeric() || (args.size() > 2 && !args[2]->type.is_integer())) {
      return std::nullopt;
    }
    AggregateSignature signature{.args = {DataType::Double(), DataType::Double()},
                                 .result = DataType::Double()};
    if (args.size() > 2) signature.args.push_back(DataType::BigInt());
    return signature;
  }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    Count(states, state_offset, rows, args, 1);
  }
  bool grows() const override { return true; }
  bool can_retract() const override { return true; }
  void Retract(std::span<std::byte* const> states,
               size_t state_offset,
               std::span<const uint32_t> rows,
               std::span<const Column> args) const override {
    Count(states, state_offset, rows, args, -1);
  }
  static void Combine(PercentileState& into, const PercentileState& from) {
    for (const auto& [value, times] : from.counts) {
      int64_t& count = into.counts[value];
      count = Sum(count, times);
    }
    into.count = Sum(into.count, from.count);
    if (!from.counts.empty()) into.share = from.share;
  }
  void Finish(const std::byte* bytes, Column& out, Arena& arena) const override {
    const PercentileState& state = At(bytes);
    if (state.count <= 0 || !(state.share >= 0 && state.share <= 1)) return out.AppendNull();
    const double place = static_cast<double>(state.count - 1) * state.share;
    const double whole = std::floor(place);
    // The last one may be beyond what a DOUBLE tells apart.
    const int64_t last = state.count - 1;
    const int64_t lower = whole < 0x1p63 ? std::min(static_cast<int64_t>(whole), last) : last;
    const double low = ValueAt(state, lower);
    const double high = ValueAt(state, lower < last ? lower + 1 : last);
    const double part = place - whole;
    out.Append(part == 0 ? low : low * (1 - part) + high * part, arena);
  }
  void Save(const std::byte* bytes, std::string& to) const override {
    const PercentileState& state = At(bytes);
    PutNumber(to, state.share);
    PutNumber(to, static_cast<uint32_t>(state.counts.size()));
    for (const auto& [value, times] : state.counts) {
      PutNumber(to, value);
      PutInt64(to, times);
    }
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    PercentileState& state = At(bytes);
    uint32_t values = 0;
    if (!TakeNumber(from, state.share) || !TakeNumber(from, values)) {
      return DamagedState("percentile");
    }
    for (uint32_t i = 0; i < values; ++i) {
      double value = 0;
      int64_t times = 0;
      if (!TakeNumber(from, value) || !TakeInt64(from, times)) return DamagedState("percentile");
      int64_t& count = state.counts[value];
      count = Sum(count, times);
      state.count = Sum(state.count, times);
    }
    return {};
  }
  static void Add(PercentileState& state, const Column& column, size_t row) {
    int64_t& count = state.counts[column.doubles[row]];
    count = Sum(count, 1);
    state.count = Sum(state.count, 1);
  }

 private:
  static void Count(std::span<std::byte* const> states,
                    size_t state_offset,
                    std::span<const uint32_t> rows,
                    std::span<const Column> args,
                    int64_t sign) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t row = rows[i];
      if (args[0].is_null(row) || args[1].is_null(row)) continue;
      int64_t times = 1;
      if (args.size() > 2) times = args[2].is_null(row) ? 0 : args[2].ints[row];
      if (times <= 0) continue;
      PercentileState& state = At(states[i] + state_offset);
      state.share = args[1].doubles[row];
      const auto entry = state.counts.try_emplace(args[0].doubles[row], 0).first;
      // times > 0: it has a negative.
      entry->second = Sum(entry->second, sign * times);
      if (entry->second == 0) state.counts.erase(entry);
      state.count = Sum(state.count, sign * times);
    }
  }
  // The value number `place` from 0 in order.
  static double ValueAt(const PercentileState& state, int64_t place) {
    for (const auto& [value, times] : state.counts) {
      if (place < times) return value;
      place = Difference(place, times);
    }
    return 0;
  }
};

}  // namespace

void AddPercentileAggregate(AggregateList& list) {
  list.push_back(std::make_unique<Percentile>());
}

}  // namespace slipstream::sql
