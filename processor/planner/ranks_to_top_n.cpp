#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "processor/expr/evaluator.h"
#include "processor/expr/scalar_function.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"

namespace slipstream::sql {
namespace {

struct RankRange {
  int64_t first = 1;
  std::optional<int64_t> last;
};

bool IsRank(const Expression& expression, size_t rank) {
  if (expression.kind == Expression::Kind::kCast) return IsRank(*expression.args.front(), rank);
  return expression.kind == Expression::Kind::kColumn && expression.column == rank;
}

// rank < 3 and 3 > rank, with any of the comparisons: narrows the range. False: it is none of them.
bool Narrow(const Expression& condition, size_t rank, RankRange& range) {
  if (condition.kind != Expression::Kind::kCall || condition.args.size() != 2) return false;
  const bool is_turned = !IsRank(*condition.args[0], rank);
  const Expression& side = *condition.args[is_turned ? 1 : 0];
  const Expression& bound = *condition.args[is_turned ? 0 : 1];
  const int64_t* const value = std::get_if<int64_t>(&bound.literal);
  if (!IsRank(side, rank) || value == nullptr || !bound.type.is_integer()) return false;
  std::string_view sign = condition.function->name;
  if (is_turned && (sign.starts_with('<') || sign.starts_with('>')) && sign != "<>") {
    sign = sign == "<" ? ">" : sign == "<=" ? ">=" : sign == ">" ? "<" : "<=";
  }
  const auto at_most = [&](int64_t last) {
    range.last = std::min(range.last.value_or(last), last);
  };
  const auto at_least = [&](int64_t first) { range.first = std::max(range.first, first); };
  constexpr int64_t kFar = int64_t{1} << 62;
  const int64_t limited = std::clamp(*value, -kFar, kFar);
  if (sign == "<=") {
    at_most(limited);
  } else if (sign == "<") {
    at_most(limited - 1);
  } else if (sign == ">=") {
    at_least(limited);
  } else if (sign == ">") {
    at_least(limited + 1);
  } else if (sign == "=") {
    at_most(limited);
    at_least(limited);
  } else {
    return false;
  }
  return true;
}

bool IsRowNumber(const PlanNode& over) {
  return over.kind == PlanNode::Kind::kOver && over.lags.empty() && over.aggregates.size() == 1 &&
         over.aggregates.front().name == "ROW_NUMBER" && !over.sort_keys.empty();
}

// The filter over a row number as Top-N, or as it was.
PlanNodePtr MakeTopN(PlanNodePtr filter) {
  PlanNode& over = *filter->inputs.front();
  const size_t rank = over.output.size() - 1;
  std::vector<ExpressionPtr> parts;
  SplitConjuncts(filter->condition, parts);
  RankRange range;
  std::vector<ExpressionPtr> others;
  for (const ExpressionPtr& part : parts) {
    const ExpressionPtr folded = FoldConstants(part);
    if (!Narrow(*folded, rank, range)) others.push_back(part);
  }
  if (!range.last || *range.last < range.first) return filter;
  PlanNodePtr top = std::move(filter->inputs.front());
  top->kind = PlanNode::Kind::kTopN;
  top->aggregates.clear();
  top->rank_first = static_cast<uint64_t>(range.first);
  top->rank_last = static_cast<uint64_t>(*range.last);
  top->has_rank = true;
  if (others.empty()) return top;
  return MakeFilter(std::move(top), AllOf(others));
}

}  // namespace

PlanNodePtr RanksToTopN(PlanNodePtr node) {
  if (node->kind == PlanNode::Kind::kFilter && IsRowNumber(*node->inputs.front())) {
    return MakeTopN(std::move(node));
  }
  const bool passes_rows =
      node->kind == PlanNode::Kind::kProject || node->kind == PlanNode::Kind::kFilter ||
      node->kind == PlanNode::Kind::kUnnest || node->kind == PlanNode::Kind::kJoin;
  if (!passes_rows) return node;
  for (PlanNodePtr& input : node->inputs)
    input = RanksToTopN(std::move(input));
  return node;
}

}  // namespace slipstream::sql
