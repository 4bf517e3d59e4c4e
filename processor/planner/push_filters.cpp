#include <set>
#include <utility>
#include <vector>

#include "processor/expr/scalar_function.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"

namespace slipstream::sql {
namespace {

using Parts = std::vector<ExpressionPtr>;

bool ReadsOnlyTrivial(const Expression& condition, const PlanNode& project) {
  std::set<size_t> columns;
  CollectColumns(condition, columns);
  for (const size_t column : columns) {
    if (!IsTrivial(*project.expressions[column])) return false;
  }
  return true;
}

// Whether it reads no column from `end` on, and none before `begin`.
bool ReadsOnly(const Expression& condition, size_t begin, size_t end) {
  std::set<size_t> columns;
  CollectColumns(condition, columns);
  return columns.empty() || (*columns.begin() >= begin && *columns.rbegin() < end);
}

PlanNodePtr WithFilter(PlanNodePtr node, const Parts& parts) {
  if (parts.empty()) return node;
  return MakeFilter(std::move(node), AllOf(parts));
}

// Whether the value is NULL when the columns from `begin` to `end` are.
bool IsNullWith(const Expression& value, size_t begin, size_t end) {
  switch (value.kind) {
    case Expression::Kind::kColumn:
      return value.column >= begin && value.column < end;
    case Expression::Kind::kLiteral:
      return IsNull(value.literal);
    case Expression::Kind::kCast:
      return IsNullWith(*value.args.front(), begin, end);
    case Expression::Kind::kCase:
    case Expression::Kind::kOuter:
      return false;
    case Expression::Kind::kCall:
      break;
  }
  if (value.function->evaluation != ScalarFunction::Evaluation::kStrict) return false;
  for (const ExpressionPtr& arg : value.args) {
    if (IsNullWith(*arg, begin, end)) return true;
  }
  return false;
}

// Whether the condition does not hold when the columns from `begin` to `end` are all NULL.
bool RefusesNulls(const Expression& condition, size_t begin, size_t end) {
  if (IsNullWith(condition, begin, end)) return true;
  if (condition.kind != Expression::Kind::kCall) return false;
  const std::string& name = condition.function->name;
  const auto refuses = [&](size_t arg) { return RefusesNulls(*condition.args[arg], begin, end); };
  if (name == "AND") return refuses(0) || refuses(1);
  if (name == "OR") return refuses(0) && refuses(1);
  return name == "IS NOT NULL" && IsNullWith(*condition.args[0], begin, end);
}

// A row without a partner that the filter above takes out need not be given in the first place.
void DropRefusedSides(PlanNode& join, const Parts& parts) {
  using Type = JoinSpec::Type;
  const size_t left = join.inputs[0]->output.size();
  const size_t all = join.output.size();
  bool keeps_left = join.join.keeps_left();
  bool keeps_right = join.join.keeps_right();
  if (!keeps_left && !keeps_right) return;
  for (const ExpressionPtr& part : parts) {
    if (RefusesNulls(*part, left, all)) keeps_left = false;
    if (RefusesNulls(*part, 0, left)) keeps_right = false;
  }
  join.join.type = keeps_left && keeps_right ? Type::kFull
                   : keeps_left              ? Type::kLeft
                   : keeps_right             ? Type::kRight
                                             : Type::kInner;
  join.output = JoinOutput(join.inputs[0]->output, join.inputs[1]->output, join.join);
}

// Moves parts of the join's own condition and of the filter above to where they belong; gives back
// those that stay above.
Parts PushIntoJoin(PlanNode& join, const Parts& above) {
  using Type = JoinSpec::Type;
  DropRefusedSides(join, above);
  const Type type = join.join.type;
  const size_t left = join.inputs[0]->output.size();
  const size_t all = left + join.inputs[1]->output.size();
  Parts to_left;
  Parts to_right;
  Parts own;
  Parts stay;
  Parts condition;
  if (join.condition) SplitConjuncts(join.condition, condition);
  const bool filters_left = type == Type::kInner || type == Type::kRight || type == Type::kSemi;
  // Of a version that is taken out an older one would take the place.
  const bool has_versions = join.join.variant == JoinSpec::Variant::kTemporal;
  const bool filters_right = type != Type::kRight && type != Type::kFull && !has_versions;
  for (const ExpressionPtr& part : condition) {
    const bool is_left = ReadsOnly(*part, 0, left);
    const bool is_right = ReadsOnly(*part, left, all);
    if (is_left && !is_right && filters_left) {
      to_left.push_back(part);
    } else if (is_right && !is_left && filters_right) {
      to_right.push_back(part);
    } else {
      own.push_back(part);
    }
  }
  for (const ExpressionPtr& part : above) {
    const bool is_left = ReadsOnly(*part, 0, left);
    const bool is_right = ReadsOnly(*part, left, all);
    if (is_left && !join.join.keeps_right()) {
      to_left.push_back(part);
    } else if (is_right && !join.join.keeps_left() && !has_versions) {
      to_right.push_back(part);
    } else if (type == Type::kInner) {
      own.push_back(part);
    } else {
      stay.push_back(part);
    }
  }
  for (ExpressionPtr& part : to_right) {
    part = ReplaceColumns(part, [&](const ExpressionPtr& column) {
      return MakeColumn(column->column - left, column->type);
    });
  }
  join.inputs[0] = WithFilter(std::move(join.inputs[0]), to_left);
  join.inputs[1] = WithFilter(std::move(join.inputs[1]), to_right);
  join.condition = AllOf(own);
  return stay;
}

// The filter `node` with all that can be below it there; what is left of it stays above.
PlanNodePtr PushFilter(PlanNodePtr node) {
  PlanNodePtr below = std::move(node->inputs.front());
  if (below->kind == PlanNode::Kind::kFilter) {
    below->condition = And(below->condition, node->condition);
    return PushFilter(std::move(below));
  }
  Parts parts;
  SplitConjuncts(node->condition, parts);
  Parts stay;
  if (below->kind == PlanNode::Kind::kProject) {
    Parts pushed;
    for (const ExpressionPtr& part : parts)
      (ReadsOnlyTrivial(*part, *below) ? pushed : stay).push_back(part);
    for (ExpressionPtr& part : pushed) {
      part = ReplaceColumns(
          part, [&](const ExpressionPtr& column) { return below->expressions[column->column]; });
    }
    below->inputs.front() = WithFilter(std::move(below->inputs.front()), pushed);
  } else if (below->kind == PlanNode::Kind::kUnnest) {
    Parts pushed;
    const size_t width = below->inputs.front()->output.size();
    for (const ExpressionPtr& part : parts)
      (ReadsOnly(*part, 0, width) ? pushed : stay).push_back(part);
    below->inputs.front() = WithFilter(std::move(below->inputs.front()), pushed);
  } else if (below->kind == PlanNode::Kind::kJoin) {
    stay = PushIntoJoin(*below, parts);
  } else {
    node->inputs.front() = PushFilters(std::move(below));
    return node;
  }
  below = PushFilters(std::move(below));
  return WithFilter(std::move(below), stay);
}

}  // namespace

PlanNodePtr PushFilters(PlanNodePtr node) {
  if (node->kind == PlanNode::Kind::kFilter) return PushFilter(std::move(node));
  if (node->kind == PlanNode::Kind::kJoin) PushIntoJoin(*node, {});
  for (PlanNodePtr& input : node->inputs)
    input = PushFilters(std::move(input));
  return node;
}

}  // namespace slipstream::sql
