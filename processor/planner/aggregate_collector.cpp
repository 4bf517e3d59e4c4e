#include "processor/planner/aggregate_collector.h"

#include <algorithm>
#include <utility>

#include "processor/planner/expression_rewrite.h"

namespace slipstream::sql {
namespace {

bool IsSameExpression(const ExpressionPtr& a, const ExpressionPtr& b) {
  return a && b ? IsEqual(*a, *b) : !a && !b;
}

bool IsSameCall(const AggregateCall& a, const AggregateCall& b) {
  return a.function == b.function && a.is_distinct == b.is_distinct &&
         IsSameExpression(a.filter, b.filter) &&
         std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(), IsSameExpression);
}

}  // namespace

ExpressionPtr AggregateCollector::Add(AggregateCall call) {
  size_t index = 0;
  while (index < calls_.size() && !IsSameCall(calls_[index], call))
    ++index;
  if (index == calls_.size()) calls_.push_back(std::move(call));
  return MakeColumn(kFirstAggregateColumn + index, calls_[index].type);
}

void AggregateCollector::NoteColumn(size_t column, const ScopeColumn& named, Span at) {
  uses_.try_emplace(column, Use{named.name, at});
}

const AggregateCollector::Use* AggregateCollector::FindUse(size_t column) const {
  const auto found = uses_.find(column);
  return found == uses_.end() ? nullptr : &found->second;
}

}  // namespace slipstream::sql
