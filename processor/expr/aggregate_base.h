#pragma once

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "processor/expr/aggregate_function.h"
#include "processor/expr/state_bytes.h"

namespace slipstream::sql {

// StateAggregate: what all aggregates have in common whose states are objects. `Self` has
//   static void Combine(State&, const State&)
template <class State, class Self>
class StateAggregate : public AggregateFunction {
 public:
  explicit StateAggregate(std::string name) : name_(std::move(name)) {}

  std::string_view name() const final { return name_; }
  size_t state_bytes() const final { return sizeof(State); }
  void Init(std::byte* state) const final { new (state) State(); }
  void Destroy(std::byte* state) const final { At(state).~State(); }

  void Merge(std::byte* into, const std::byte* from) const final {
    Self::Combine(At(into), At(from));
  }

 protected:
  static State& At(std::byte* state) { return *std::launder(reinterpret_cast<State*>(state)); }
  static const State& At(const std::byte* state) {
    return *std::launder(reinterpret_cast<const State*>(state));
  }

 private:
  const std::string name_;
};

// TypedAggregate: likewise, over one column. `Self` also has
//   static void Add(State&, const Column&, size_t row)   for every row that is not NULL
template <class State, class Self>
class TypedAggregate : public StateAggregate<State, Self> {
  using Base = StateAggregate<State, Self>;

 public:
  using Base::Base;

  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    const Column& column = args[0];
    if (!column.has_nulls()) {
      for (size_t i = 0; i < rows.size(); ++i)
        Self::Add(Base::At(states[i] + state_offset), column, rows[i]);
      return;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!column.is_null(rows[i])) Self::Add(Base::At(states[i] + state_offset), column, rows[i]);
    }
  }
};

using AggregateList = std::vector<std::unique_ptr<const AggregateFunction>>;

void AddSumAggregates(AggregateList& list);        // COUNT, SUM, AVG
void AddValueAggregates(AggregateList& list);      // MIN, MAX, FIRST_VALUE, LAST_VALUE
void AddListAggregate(AggregateList& list);        // LISTAGG
void AddArrayAggregate(AggregateList& list);       // ARRAY_AGG
void AddJsonAggregates(AggregateList& list);       // JSON_ARRAYAGG, JSON_OBJECTAGG
void AddPercentileAggregate(AggregateList& list);  // PERCENTILE
void AddDeviationAggregates(AggregateList& list);  // STDDEV…, VAR…

}  // namespace slipstream::sql
