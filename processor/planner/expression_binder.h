#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// ExpressionBinder: turns parsed expressions into bound ones: names become columns, functions are
// chosen and coercions inserted by the function registry. Private to planner/.
//
// Ownership  borrows everything it is given.
// Errors     throws SqlError.
class ExpressionBinder {
 public:
  // `clause` ("WHERE", "SELECT", …) stands in messages. Without a collector aggregate functions are
  // refused.
  ExpressionBinder(const PlanContext& context,
                   const std::vector<ScopeColumn>& scope,
                   std::string_view clause,
                   AggregateCollector* collector = nullptr)
      : context_(context), scope_(scope), clause_(clause), collector_(collector) {}

  ExpressionPtr Bind(const ast::Expr& expr);
  // The same; it has to be BOOLEAN.
  ExpressionPtr BindCondition(const ast::Expr& expr);

  // The column of that name; throws if there is none or more than one.
  const ScopeColumn& Resolve(const ast::ColumnRef& name, Span at) const;

 private:
  ExpressionPtr BindNode(const ast::ColumnRef& node, Span at);
  ExpressionPtr BindNode(const ast::Star& node, Span at);
  ExpressionPtr BindNode(const ast::Literal& node, Span at);
  ExpressionPtr BindNode(const ast::Interval& node, Span at);
  ExpressionPtr BindNode(const ast::TimeUnit& node, Span at);
  ExpressionPtr BindNode(const ast::Unary& node, Span at);
  ExpressionPtr BindNode(const ast::Binary& node, Span at);
  ExpressionPtr BindNode(const ast::Between& node, Span at);
  ExpressionPtr BindNode(const ast::InList& node, Span at);
  ExpressionPtr BindNode(const ast::Call& node, Span at);
  ExpressionPtr BindNode(const ast::Case& node, Span at);
  ExpressionPtr BindNode(const ast::Cast& node, Span at);
  ExpressionPtr BindNode(const ast::InQuery& node, Span at);
  ExpressionPtr BindNode(const ast::Exists& node, Span at);
  ExpressionPtr BindNode(const ast::ScalarQuery& node, Span at);
  ExpressionPtr BindNode(const ast::Constructor& node, Span at);
  ExpressionPtr BindNode(const ast::Subscript& node, Span at);
  ExpressionPtr BindNode(const ast::FieldAccess& node, Span at);
  ExpressionPtr BindNode(const ast::TableArgument& node, Span at);
  ExpressionPtr BindNode(const ast::Descriptor& node, Span at);

  ExpressionPtr Call(std::string_view function, std::vector<ExpressionPtr> args, Span at) const;
  std::vector<ExpressionPtr> BindArguments(const ast::Call& call);
  ExpressionPtr BindAggregate(const ast::Call& call, const std::string& name, Span at);
  // TUMBLE_START and the like; null: the name is not one of them.
  ExpressionPtr BindWindowFunction(const ast::Call& call, const std::string& name, Span at);
  [[noreturn]] void UnknownColumn(const ast::ColumnRef& name, Span at) const;

  const PlanContext& context_;
  const std::vector<ScopeColumn>& scope_;
  const std::string clause_;
  AggregateCollector* const collector_;
};

}  // namespace slipstream::sql
