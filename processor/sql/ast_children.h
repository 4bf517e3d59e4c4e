#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "processor/sql/ast.h"

namespace slipstream::sql::ast {

// Calls `visit` with every expression directly below `node`; subqueries are not entered.
template <class Visit>
class ChildVisitor {
 public:
  explicit ChildVisitor(Visit visit) : visit_(std::move(visit)) {}

  void operator()(const Unary& node) { One(node.operand); }
  void operator()(const Binary& node) { One(node.left), One(node.right); }
  void operator()(const Between& node) { One(node.value), One(node.low), One(node.high); }
  void operator()(const InList& node) { One(node.value), All(node.items); }
  void operator()(const InQuery& node) { One(node.value); }
  void operator()(const Call& node) {
    for (const Argument& argument : node.arguments)
      One(argument.value);
    One(node.filter);
    if (!node.over) return;
    All(node.over->partition_by);
    for (const OrderItem& item : node.over->order_by)
      One(item.value);
    One(node.over->frame_start.distance);
    One(node.over->frame_end.distance);
  }
  void operator()(const Case& node) {
    One(node.operand);
    for (const Case::Branch& branch : node.branches)
      All(branch.whens), One(branch.then);
    One(node.otherwise);
  }
  void operator()(const Cast& node) { One(node.value); }
  void operator()(const Constructor& node) { All(node.items); }
  void operator()(const Subscript& node) { One(node.base), One(node.index); }
  void operator()(const FieldAccess& node) { One(node.base); }
  void operator()(const TableArgument& node) { All(node.partition_by); }
  template <class Leaf>
  void operator()(const Leaf&) {}

 private:
  void One(const ExprPtr& child) {
    if (child) visit_(*child);
  }
  void All(const std::vector<ExprPtr>& children) {
    for (const ExprPtr& child : children)
      One(child);
  }

  Visit visit_;
};

// Whether `holds` of the expression or of one below it; subqueries are not entered.
template <class Predicate>
bool AnyOf(const Expr& expression, const Predicate& holds) {
  if (holds(expression)) return true;
  bool found = false;
  std::visit(ChildVisitor([&](const Expr& child) { found = found || AnyOf(child, holds); }),
             expression.node);
  return found;
}

}  // namespace slipstream::sql::ast
