#include <algorithm>
#include <optional>
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

// Values of both can be compared as the bytes of a key.
bool HaveSameKeys(const DataType& a, const DataType& b) {
  const PhysicalKind kind = PhysicalKindOf(a.kind);
  if (kind != PhysicalKindOf(b.kind)) return false;
  if (kind == PhysicalKind::kInt128) return a.scale == b.scale;
  if (kind != PhysicalKind::kNested) return true;
  return a.kind == b.kind &&
         std::equal(a.children->begin(),
                    a.children->end(),
                    b.children->begin(),
                    b.children->end(),
                    [](const Field& x, const Field& y) { return HaveSameKeys(x.type, y.type); });
}

// An equality between the sides of a join: `left` over the left input's columns, `right` over the
// right one's.
struct Equality {
  ExpressionPtr left;
  ExpressionPtr right;
  bool matches_null = false;
};

// KeyMaker: takes the equalities out of the condition of one join.
class KeyMaker {
 public:
  explicit KeyMaker(PlanNode& join)
      : join_(join),
        left_width_(join.inputs[0]->output.size()),
        right_width_(join.inputs[1]->output.size()) {}

  // Whether inputs had to be given further columns: the parts of keys that are computed.
  bool Run() {
    if (!join_.condition) return false;
    std::vector<ExpressionPtr> parts;
    SplitConjuncts(join_.condition, parts);
    std::vector<ExpressionPtr> others;
    for (const ExpressionPtr& part : parts) {
      if (const std::optional<Equality> equality = AsEquality(*part)) {
        AddKey(*equality);
      } else {
        others.push_back(part);
      }
    }
    if (others.size() == parts.size()) return false;
    join_.condition = AllOf(others);
    const bool is_wider = !computed_left_.empty() || !computed_right_.empty();
    if (!is_wider) return false;
    AddColumns(join_.inputs[0], computed_left_);
    AddColumns(join_.inputs[1], computed_right_);
    const size_t shift = computed_left_.size();
    if (join_.condition && shift > 0) {
      join_.condition = ReplaceColumns(join_.condition, [&](const ExpressionPtr& column) {
        return column->column < left_width_ ? column
                                            : MakeColumn(column->column + shift, column->type);
      });
    }
    join_.output = JoinOutput(join_.inputs[0]->output, join_.inputs[1]->output, join_.join);
    return true;
  }

  // The join's columns as they were.
  PlanNodePtr Restore(PlanNodePtr join, const Schema& output) const {
    std::vector<ExpressionPtr> expressions;
    std::vector<std::string> names;
    for (size_t i = 0; i < output.size(); ++i) {
      const size_t now = i < left_width_ ? i : i + computed_left_.size();
      expressions.push_back(MakeColumn(now, output[i].type));
      names.push_back(output[i].name);
    }
    return MakeProject(std::move(join), std::move(expressions), std::move(names));
  }

 private:
  enum class Side { kNone, kLeft, kRight, kBoth };

  Side SideOf(const Expression& expression) const {
    std::set<size_t> columns;
    CollectColumns(expression, columns);
    if (columns.empty()) return Side::kNone;
    if (*columns.rbegin() < left_width_) return Side::kLeft;
    return *columns.begin() >= left_width_ ? Side::kRight : Side::kBoth;
  }

  std::optional<Equality> AsEquality(const Expression& part) const {
    if (part.kind != Expression::Kind::kCall || part.args.size() != 2) return std::nullopt;
    const bool matches_null = part.function->name == "IS NOT DISTINCT FROM";
    if (part.function->name != "=" && !matches_null) return std::nullopt;
    const Side first = SideOf(*part.args[0]);
    const Side second = SideOf(*part.args[1]);
    const bool is_straight = first == Side::kLeft && second == Side::kRight;
    const bool is_turned = first == Side::kRight && second == Side::kLeft;
    if (!is_straight && !is_turned) return std::nullopt;
    const ExpressionPtr& left = part.args[is_straight ? 0 : 1];
    const ExpressionPtr& right = part.args[is_straight ? 1 : 0];
    if (!HaveSameKeys(left->type, right->type)) return std::nullopt;
    return Equality{left,
                    ReplaceColumns(right,
                                   [&](const ExpressionPtr& column) {
                                     return MakeColumn(column->column - left_width_, column->type);
                                   }),
                    matches_null};
  }

  void AddKey(const Equality& equality) {
    const JoinSpec::Key key{.left = ColumnOf(equality.left, left_width_, computed_left_),
                            .right = ColumnOf(equality.right, right_width_, computed_right_),
                            .matches_null = equality.matches_null};
    for (const JoinSpec::Key& known : join_.join.keys) {
      const bool is_known = known.left == key.left && known.right == key.right;
      if (is_known && known.matches_null <= key.matches_null) return;
    }
    join_.join.keys.push_back(key);
  }

  static size_t ColumnOf(const ExpressionPtr& value,
                         size_t width,
                         std::vector<ExpressionPtr>& computed) {
    if (value->kind == Expression::Kind::kColumn) return value->column;
    for (size_t i = 0; i < computed.size(); ++i) {
      if (IsEqual(*computed[i], *value)) return width + i;
    }
    computed.push_back(value);
    return width + computed.size() - 1;
  }

  static void AddColumns(PlanNodePtr& input, const std::vector<ExpressionPtr>& computed) {
    if (computed.empty()) return;
    std::vector<ExpressionPtr> expressions;
    std::vector<std::string> names;
    for (size_t i = 0; i < input->output.size(); ++i) {
      expressions.push_back(MakeColumn(i, input->output[i].type));
      names.push_back(input->output[i].name);
    }
    for (size_t i = 0; i < computed.size(); ++i) {
      names.push_back(computed[i]->ToString(input->output));
      expressions.push_back(computed[i]);
    }
    input = MakeProject(std::move(input), std::move(expressions), std::move(names));
  }

  PlanNode& join_;
  const size_t left_width_;
  const size_t right_width_;
  std::vector<ExpressionPtr> computed_left_;
  std::vector<ExpressionPtr> computed_right_;
};

}  // namespace

PlanNodePtr FindJoinKeys(PlanNodePtr node) {
  for (PlanNodePtr& input : node->inputs)
    input = FindJoinKeys(std::move(input));
  if (node->kind != PlanNode::Kind::kJoin) return node;
  const Schema output = node->output;
  KeyMaker maker(*node);
  if (!maker.Run()) return node;
  return maker.Restore(std::move(node), output);
}

}  // namespace slipstream::sql
