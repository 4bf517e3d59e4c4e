#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

class OverPlanner;
struct OutputItem;
class SubqueryPlanner;

// ExpressionBinder: turns parsed expressions into bound ones: names become columns, functions are
// chosen and coercions inserted by the function registry. Private to planner/.
//
// Ownership  borrows everything it is given.
// Errors     throws SqlError.
class ExpressionBinder {
 public:
  // `clause` ("WHERE", "SELECT", …) stands in messages. Without a collector aggregate functions are
  // refused, without a planner of OVER windows those.
  ExpressionBinder(const PlanContext& context,
                   const std::vector<ScopeColumn>& scope,
                   std::string_view clause,
                   AggregateCollector* collector = nullptr,
                   OverPlanner* overs = nullptr)
      : context_(context), scope_(scope), clause_(clause), collector_(collector), overs_(overs) {}

  // Names that `scope` does not have may be those of `outer`, the columns of the query around this
  // one; these become columns from kFirstOuterColumn on.
  void SeeOuter(const std::vector<ScopeColumn>& outer) { outer_ = &outer; }
  // Names that `scope` does not have may be those of `items`, as they are bound.
  void SeeItems(const std::vector<OutputItem>& items) { items_ = &items; }
  // Without it queries inside expressions are refused.
  void AllowSubqueries(SubqueryPlanner& subqueries) { subqueries_ = &subqueries; }

  ExpressionPtr Bind(const ast::Expr& expr);
  // The same; it has to be BOOLEAN.
  ExpressionPtr BindCondition(const ast::Expr& expr);

  // The column of that name; throws if there is none or more than one.
  const ScopeColumn& Resolve(const ast::ColumnRef& name, Span at) const;

  // Whether the name is that of a column, not of a field of one.
  bool IsColumn(const ast::ColumnRef& name, Span at) const;

  // base.field, of a ROW; throws if there is no such field.
  ExpressionPtr Field(ExpressionPtr base, const ast::Name& field) const;

  std::vector<ExpressionPtr> BindArguments(const ast::Call& call);

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

  // Where a name like a.b.c finds its column: `column` is null if there is none; the parts from
  // number `fields` on are fields of it.
  struct Path {
    const ScopeColumn* column = nullptr;
    size_t fields = 0;
  };
  Path FindPath(const ast::ColumnRef& name, Span at) const;
  // The column of a query around this one that the name, unknown here, is of; throws if there is
  // none.
  ExpressionPtr BindOuter(const ast::ColumnRef& name, Span at, Path& path) const;
  // The only column of that name (and table, unless it is empty); null: there is none.
  const ScopeColumn* FindColumn(const std::string& table, const std::string& name, Span at) const;

  ExpressionPtr Call(std::string_view function, std::vector<ExpressionPtr> args, Span at) const;
  ExpressionPtr Equal(const ExpressionPtr& left, const ExpressionPtr& right, Span at) const;
  void CheckWatermarkColumn(const ast::Call& call, Span at) const;
  ExpressionPtr BindAggregate(const ast::Call& call, const std::string& name, Span at);
  // GROUPING and GROUPING_ID: which of the arguments the row's grouping set leaves out, as bits.
  ExpressionPtr BindGrouping(const ast::Call& call, const std::string& name, Span at);
  // TUMBLE_START and the like; null: the name is not one of them.
  ExpressionPtr BindWindowFunction(const ast::Call& call, const std::string& name, Span at);
  [[noreturn]] void UnknownColumn(const ast::ColumnRef& name, Span at) const;

  const PlanContext& context_;
  const std::vector<ScopeColumn>& scope_;
  const std::string clause_;
  AggregateCollector* const collector_;
  OverPlanner* const overs_;
  const std::vector<ScopeColumn>* outer_ = nullptr;
  const std::vector<OutputItem>* items_ = nullptr;
  SubqueryPlanner* subqueries_ = nullptr;
};

}  // namespace slipstream::sql
