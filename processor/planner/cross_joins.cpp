#include <algorithm>
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

bool IsPlainJoin(const PlanNode& node) {
  const JoinSpec& join = node.join;
  return node.kind == PlanNode::Kind::kJoin && join.type == JoinSpec::Type::kInner &&
         join.variant == JoinSpec::Variant::kRegular && join.keys.empty() && !join.left_ttl_us &&
         !join.right_ttl_us;
}

// JoinChain: the inputs of joins one on the left of the other, a, b, c of (a JOIN b) JOIN c, and
// the parts of their conditions. Columns are counted through all inputs, as in the joins' own
// conditions.
class JoinChain {
 public:
  explicit JoinChain(const PlanNode& top) {
    const PlanNode* node = &top;
    for (; IsPlainJoin(*node); node = node->inputs[0].get()) {
      inputs_.push_back(node->inputs[1].get());
      if (node->condition) SplitConjuncts(node->condition, parts_);
    }
    inputs_.push_back(node);
    std::reverse(inputs_.begin(), inputs_.end());
    for (const PlanNode* input : inputs_) {
      begins_.push_back(width_);
      width_ += input->output.size();
    }
  }

  // The first input, then always the first that has an equality with one of those before, if there
  // is such a one.
  std::vector<size_t> Order() const {
    std::vector<size_t> order = {0};
    std::set<size_t> left;
    for (size_t i = 1; i < inputs_.size(); ++i)
      left.insert(i);
    while (!left.empty()) {
      const auto found = std::find_if(
          left.begin(), left.end(), [&](size_t input) { return IsBound(input, order); });
      const size_t next = found == left.end() ? *left.begin() : *found;
      order.push_back(next);
      left.erase(next);
    }
    return order;
  }

  // The join `top` of this chain in that order; its columns stay where they are.
  PlanNodePtr Build(PlanNodePtr top, const std::vector<size_t>& order) const {
    const Schema output = top->output;
    std::vector<PlanNodePtr> inputs = Take(std::move(top));
    std::vector<size_t> places(width_);  // where a column is now
    std::vector<ExpressionPtr> parts = parts_;
    size_t width = 0;
    PlanNodePtr node;
    std::vector<size_t> joined;
    for (const size_t input : order) {
      for (size_t i = 0; i < inputs[input]->output.size(); ++i)
        places[begins_[input] + i] = width++;
      joined.push_back(input);
      if (!node) {
        node = std::move(inputs[input]);
        continue;
      }
      ExpressionPtr condition;
      std::erase_if(parts, [&](const ExpressionPtr& part) {
        if (!ReadsOnly(*part, joined)) return false;
        condition = And(std::move(condition), ReplaceColumns(part, [&](const auto& column) {
                          return MakeColumn(places[column->column], column->type);
                        }));
        return true;
      });
      node = MakeJoin(
          std::move(node), std::move(inputs[input]), JoinSpec::Type::kInner, std::move(condition));
    }
    std::vector<ExpressionPtr> columns;
    std::vector<std::string> names;
    for (size_t i = 0; i < width_; ++i) {
      columns.push_back(MakeColumn(places[i], output[i].type));
      names.push_back(output[i].name);
    }
    return MakeProject(std::move(node), std::move(columns), std::move(names));
  }

 private:
  size_t InputOf(size_t column) const {
    return static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), column) -
                               begins_.begin()) -
           1;
  }

  std::set<size_t> InputsOf(const Expression& expression) const {
    std::set<size_t> columns;
    CollectColumns(expression, columns);
    std::set<size_t> inputs;
    for (const size_t column : columns)
      inputs.insert(InputOf(column));
    return inputs;
  }

  bool ReadsOnly(const Expression& expression, const std::vector<size_t>& inputs) const {
    const std::set<size_t> read = InputsOf(expression);
    return std::all_of(read.begin(), read.end(), [&](size_t input) {
      return std::find(inputs.begin(), inputs.end(), input) != inputs.end();
    });
  }

  bool IsBound(size_t input, const std::vector<size_t>& joined) const {
    const std::vector<size_t> own = {input};
    const auto reads = [&](const Expression& side, const std::vector<size_t>& inputs) {
      return !InputsOf(side).empty() && ReadsOnly(side, inputs);
    };
    return std::any_of(parts_.begin(), parts_.end(), [&](const ExpressionPtr& part) {
      const bool is_equality = part->kind == Expression::Kind::kCall && part->args.size() == 2 &&
                               part->function->name == "=";
      return is_equality && ((reads(*part->args[0], own) && reads(*part->args[1], joined)) ||
                             (reads(*part->args[1], own) && reads(*part->args[0], joined)));
    });
  }

  // Takes the chain apart.
  std::vector<PlanNodePtr> Take(PlanNodePtr top) const {
    std::vector<PlanNodePtr> inputs(inputs_.size());
    PlanNodePtr node = std::move(top);
    for (size_t i = inputs.size() - 1; i > 0; --i) {
      inputs[i] = std::move(node->inputs[1]);
      PlanNodePtr below = std::move(node->inputs[0]);
      node = std::move(below);
    }
    inputs[0] = std::move(node);
    return inputs;
  }

  std::vector<const PlanNode*> inputs_;
  std::vector<size_t> begins_;  // of each input's columns
  size_t width_ = 0;
  std::vector<ExpressionPtr> parts_;
};

}  // namespace

PlanNodePtr AvoidCrossJoins(PlanNodePtr node) {
  if (IsPlainJoin(*node)) {
    const JoinChain chain(*node);
    const std::vector<size_t> order = chain.Order();
    if (!std::is_sorted(order.begin(), order.end())) node = chain.Build(std::move(node), order);
  }
  for (PlanNodePtr& input : node->inputs)
    input = AvoidCrossJoins(std::move(input));
  return node;
}

}  // namespace slipstream::sql
