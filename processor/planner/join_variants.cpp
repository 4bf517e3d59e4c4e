#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "processor/expr/evaluator.h"
#include "processor/expr/scalar_function.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/plan_times.h"

// Which joins of a plan are by window or by a distance in time, so that they need to keep little.

namespace slipstream::sql {
namespace {

using Variant = JoinSpec::Variant;

// A window join's keys hold the start and the end of equal windows of both sides.
bool BecomeWindowJoin(PlanNode& node) {
  const std::optional<RowWindows> left = RowWindowsOf(*node.inputs[0]);
  const std::optional<RowWindows> right = RowWindowsOf(*node.inputs[1]);
  if (!left || !right || !AreSameWindows(left->spec, right->spec)) return false;
  bool has_starts = false;
  const JoinSpec::Key* ends = nullptr;
  for (const JoinSpec::Key& key : node.join.keys) {
    if (left->starts.contains(key.left) && right->starts.contains(key.right)) has_starts = true;
    if (left->ends.contains(key.left) && right->ends.contains(key.right)) ends = &key;
  }
  if (!has_starts || ends == nullptr) return false;
  node.join.variant = Variant::kWindow;
  node.join.left_time = ends->left;
  node.join.right_time = ends->right;
  return true;
}

// A time of one side, plus a constant.
struct TimeTerm {
  bool is_right = false;
  size_t column = 0;  // of its side
  int64_t offset_us = 0;
};

// What the times of a join's sides are compared by.
struct Bounds {
  std::optional<size_t> left;
  std::optional<size_t> right;
  std::optional<int64_t> lower_us;
  std::optional<int64_t> upper_us;
};

class IntervalFinder {
 public:
  using Times = std::set<size_t> (*)(const PlanNode&);

  // By the columns of its inputs that `times` finds.
  IntervalFinder(PlanNode& node, Times times)
      : node_(node),
        left_width_(node.inputs[0]->output.size()),
        left_times_(times(*node.inputs[0])),
        right_times_(times(*node.inputs[1])) {}

  // Makes an interval join of it; false: it bounds no distance between the times.

  bool Run() {
    if (left_times_.empty() || right_times_.empty()) return false;
    for (const JoinSpec::Key& key : node_.join.keys) {
      if (!left_times_.contains(key.left) || !right_times_.contains(key.right)) continue;
      bounds_ = {.left = key.left, .right = key.right, .lower_us = 0, .upper_us = 0};
    }
    std::vector<ExpressionPtr> parts;
    if (node_.condition) SplitConjuncts(node_.condition, parts);
    std::vector<ExpressionPtr> others;
    for (const ExpressionPtr& part : parts) {
      if (!Narrow(*part)) others.push_back(part);
    }
    if (!bounds_.lower_us || !bounds_.upper_us) return false;
    node_.join.variant = Variant::kInterval;
    node_.join.left_time = *bounds_.left;
    node_.join.right_time = *bounds_.right;
    node_.join.lower_us = *bounds_.lower_us;
    node_.join.upper_us = *bounds_.upper_us;
    node_.condition = AllOf(others);
    return true;
  }

 private:
  std::optional<TimeTerm> TermOf(const Expression& expression) const {
    if (expression.kind == Expression::Kind::kColumn) {
      const bool is_right = expression.column >= left_width_;
      const size_t column = expression.column - (is_right ? left_width_ : 0);
      if (!(is_right ? right_times_ : left_times_).contains(column)) return std::nullopt;
      return TimeTerm{is_right, column, 0};
    }
    // A cast to fewer digits would change the time.
    if (expression.kind == Expression::Kind::kCast) {
      const Expression& from = *expression.args.front();
      const bool keeps = expression.type.is_timestamp() && from.type.is_timestamp() &&
                         expression.type.precision >= from.type.precision;
      return keeps ? TermOf(from) : std::nullopt;
    }
    if (expression.kind != Expression::Kind::kCall || expression.args.size() != 2) {
      return std::nullopt;
    }
    const std::string& sign = expression.function->name;
    const bool is_plus = sign == "+";
    if (!is_plus && sign != "-") return std::nullopt;
    const bool is_turned = is_plus && expression.args[1]->type.is_timestamp();
    const ExpressionPtr shift = FoldConstants(expression.args[is_turned ? 0 : 1]);
    const int64_t* const length = std::get_if<int64_t>(&shift->literal);
    constexpr int64_t kFar = int64_t{1} << 60;
    const bool is_length = shift->kind == Expression::Kind::kLiteral && length != nullptr &&
                           shift->type.kind == TypeKind::kIntervalDayTime && *length > -kFar &&
                           *length < kFar;
    std::optional<TimeTerm> term = TermOf(*expression.args[is_turned ? 1 : 0]);
    if (!is_length || !term) return std::nullopt;
    term->offset_us += is_plus ? *length : -*length;
    if (term->offset_us <= -kFar || term->offset_us >= kFar) return std::nullopt;
    return term;
  }

  // Takes up the part if it compares the two times; false: it says something else.
  bool Narrow(const Expression& part) {
    if (part.kind != Expression::Kind::kCall || part.args.size() != 2) return false;
    std::string_view sign = part.function->name;
    if (sign != "<" && sign != "<=" && sign != ">" && sign != ">=" && sign != "=") return false;
    std::optional<TimeTerm> a = TermOf(*part.args[0]);
    std::optional<TimeTerm> b = TermOf(*part.args[1]);
    if (!a || !b || a->is_right == b->is_right) return false;
    if (a->is_right) {
      std::swap(a, b);
      sign = sign == "<"    ? ">"
             : sign == "<=" ? ">="
             : sign == ">"  ? "<"
             : sign == ">=" ? "<="
                            : "=";
    }
    if (bounds_.left && (*bounds_.left != a->column || *bounds_.right != b->column)) return false;
    bounds_.left = a->column;
    bounds_.right = b->column;
    // left + a <= right + b: left − right is at most b − a. Times are whole microseconds.
    const int64_t distance = b->offset_us - a->offset_us;
    if (sign == "<" || sign == "<=" || sign == "=") {
      const int64_t upper = sign == "<" ? distance - 1 : distance;
      bounds_.upper_us = std::min(bounds_.upper_us.value_or(upper), upper);
    }
    if (sign == ">" || sign == ">=" || sign == "=") {
      const int64_t lower = sign == ">" ? distance + 1 : distance;
      bounds_.lower_us = std::max(bounds_.lower_us.value_or(lower), lower);
    }
    return true;
  }

  PlanNode& node_;
  const size_t left_width_;
  const std::set<size_t> left_times_;
  const std::set<size_t> right_times_;
  Bounds bounds_;
};

}  // namespace

void ChooseJoins(PlanNode& node, bool every_input_is_bounded) {
  for (const PlanNodePtr& input : node.inputs)
    ChooseJoins(*input, every_input_is_bounded);
  if (node.kind != PlanNode::Kind::kJoin || node.join.variant != Variant::kRegular) return;
  // Over input that ends, time says nothing about what has to be kept.
  if (IsBounded(node, every_input_is_bounded)) return;
  if (IsUpdateStream(*node.inputs[0], every_input_is_bounded) ||
      IsUpdateStream(*node.inputs[1], every_input_is_bounded)) {
    return;
  }
  if (BecomeWindowJoin(node)) return;
  if (!node.join.gives_right() || IntervalFinder(node, EventTimes).Run()) return;
  node.join.is_by_arrival = IntervalFinder(node, ArrivalTimes).Run();
}

}  // namespace slipstream::sql
