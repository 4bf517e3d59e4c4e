#include <algorithm>
#include <memory>

#include "common/check/check.h"
#include "processor/expr/aggregate_base.h"

namespace slipstream::sql {
namespace {

const AggregateList& AllAggregates() {
  static const AggregateList* const list = [] {
    auto* made = new AggregateList;  // never destroyed: plans point into it
    AddSumAggregates(*made);
    AddValueAggregates(*made);
    AddListAggregate(*made);
    AddArrayAggregate(*made);
    AddJsonAggregates(*made);
    AddDeviationAggregates(*made);
    AddPercentileAggregate(*made);
    return made;
  }();
  return *list;
}

}  // namespace

void AggregateFunction::Retract(std::span<std::byte* const>,
                                size_t,
                                std::span<const uint32_t>,
                                std::span<const Column>) const {
  SLIPSTREAM_CHECK(false, "{} takes no rows back", name());
}

std::vector<const AggregateFunction*> FindAggregates(std::string_view name) {
  std::vector<const AggregateFunction*> found;
  for (const auto& function : AllAggregates()) {
    if (function->name() == name) found.push_back(function.get());
  }
  return found;
}

std::vector<std::string> AggregateNames() {
  std::vector<std::string> names;
  for (const auto& function : AllAggregates())
    names.emplace_back(function->name());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace slipstream::sql
