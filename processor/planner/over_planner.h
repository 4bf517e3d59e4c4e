#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "processor/planner/expression_binder.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// OverPlanner: the OVER calls of one SELECT, gathered while its items are bound, and the operators
// that compute them, one for each distinct window. In the items the result of call i is the column
// kFirstOverColumn + i. Private to planner/.
//
// Use  Bind while the items are bound; Visit to rewrite what the calls read, if an aggregate comes
//      in between; Build; Rewrite each item.
class OverPlanner {
 public:
  // `named`: WINDOW w AS (…); borrowed.
  OverPlanner(const PlanContext& context, const std::vector<ast::WindowDefinition>& named)
      : context_(context), named_(named) {}

  // Throws SqlError.
  ExpressionPtr Bind(ExpressionBinder& binder, const ast::Call& call, Span at);
  bool empty() const { return calls_.empty(); }
  // Every expression that the calls and their windows read.
  void Visit(const std::function<void(ExpressionPtr&)>& visit);

  // Puts the operators over the input's node, whose columns stay where they are.
  void Build(Relation& input);
  ExpressionPtr Rewrite(const ExpressionPtr& expression) const;

 private:
  struct Order {
    ExpressionPtr value;
    bool descending = false;
    bool nulls_first = true;
  };
  struct Window {
    std::vector<ExpressionPtr> partition;
    std::vector<Order> order;
    bool order_is_time = false;
    bool order_is_arrival = false;
    OverFrame frame;
    // Which of `partition` is the end of the window that the rows lie in, if its start is there
    // too.
    std::optional<size_t> window_end;
  };
  struct Call {
    size_t window = 0;
    std::optional<AggregateCall> aggregate;
    std::optional<LagCall> lag;
    DataType type;
    size_t column = 0;  // once it is built
  };

  const ast::WindowDefinition& Definition(const ast::WindowDefinition& over) const;
  Window BindWindow(ExpressionBinder& binder,
                    const ast::WindowDefinition& definition,
                    Span at) const;
  OverFrame BindFrame(ExpressionBinder& binder,
                      const ast::WindowDefinition& definition,
                      Span at) const;
  size_t FindWindow(const Window& window);
  LagCall BindLag(LagCall::Kind kind, const std::vector<ExpressionPtr>& args, Span at) const;
  ExpressionPtr Add(Call call);
  void BuildWindow(size_t index, Relation& input);

  const PlanContext& context_;
  const std::vector<ast::WindowDefinition>& named_;
  std::vector<Window> windows_;
  std::vector<Call> calls_;
};

}  // namespace slipstream::sql
