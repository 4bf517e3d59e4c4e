#pragma once

#include <algorithm>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>
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

template <class Item>
struct OrderedItems {
  std::map<std::string, Item> items;  // by order
};

// OrderedAggregate: likewise, over rows that come in any order: the last argument says where each
// was to stand. `Self` has
//   static constexpr char kFunction[]                                  as users know it
//   std::optional<Item> ItemOf(args, uint32_t row) const               nothing: passed over
//   static void PutItem(const Item&, std::string& to)
//   bool TakeItem(std::string_view& from, Item&) const                 false: damaged
template <class Item, class Self>
class OrderedAggregate : public StateAggregate<OrderedItems<Item>, Self> {
  using Base = StateAggregate<OrderedItems<Item>, Self>;

 public:
  using Base::Base;

  // Only ever stands in for one that depends on the order.
  std::optional<AggregateSignature> Bind(std::span<const ExpressionPtr>) const final {
    return std::nullopt;
  }
  bool grows() const final { return true; }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const final {
    for (size_t i = 0; i < rows.size(); ++i) {
      std::optional<Item> item = self().ItemOf(args, rows[i]);
      if (!item.has_value()) continue;
      Base::At(states[i] + state_offset)
          .items.insert_or_assign(std::string(args.back().strings[rows[i]]), *std::move(item));
    }
  }
  static void Combine(OrderedItems<Item>& into, const OrderedItems<Item>& from) {
    into.items.insert(from.items.begin(), from.items.end());
  }
  void Save(const std::byte* state, std::string& to) const final {
    PutNumber(to, static_cast<uint32_t>(Base::At(state).items.size()));
    for (const auto& [order, item] : Base::At(state).items) {
      PutText(to, order);
      Self::PutItem(item, to);
    }
  }
  Status Restore(std::byte* bytes, std::string_view& from) const final {
    uint32_t count = 0;
    if (!TakeNumber(from, count)) return DamagedState(Self::kFunction);
    for (uint32_t i = 0; i < count; ++i) {
      std::string_view order;
      Item item{};
      if (!TakeText(from, order) || !self().TakeItem(from, item)) {
        return DamagedState(Self::kFunction);
      }
      Base::At(bytes).items.insert_or_assign(std::string(order), std::move(item));
    }
    return {};
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
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
