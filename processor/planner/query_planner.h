#pragma once

#include <optional>
#include <string>
#include <vector>

#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// QueryPlanner: from a parsed query to a plan, not yet optimized. Private to planner/. What FROM
// gives is in query_planner_from.cpp, one SELECT over it in select_planner.h.
//
// Errors  throws SqlError: names that are not there, types that do not fit, and by name whatever
//         the dialect has but cannot be run yet.
class QueryPlanner {
 public:
  explicit QueryPlanner(PlanContext& context) : context_(context) {}

  Relation Plan(const ast::Query& query);

  // What a FROM gives, or one table of it.
  Relation PlanFrom(const ast::TableRef& table);

  // The table of that name, with a hint's options laid over its own.
  TablePtr FindTable(const ast::QualifiedName& name, const std::vector<ast::Option>& hints) const;

 private:
  Relation PlanTerm(const ast::QueryTerm& term, const std::vector<ast::OrderItem>& order_by);
  // UNION, INTERSECT and EXCEPT are in set_operations.cpp.
  Relation PlanSetOperations(const ast::Query& query);
  static PlanNodePtr CombineTerms(const ast::Query& query,
                                  std::vector<Relation> terms,
                                  const Schema& output);
  Relation PlanValues(const ast::Values& values);
  Relation AddOrder(Relation relation, const std::vector<ast::OrderItem>& order_by) const;

  // The left side's columns, then the right side's; those of USING first, once.
  Relation PlanJoin(const ast::Join& join, Span at);
  // left JOIN LATERAL (SELECT …): the query's rows for each row of the left side.
  Relation PlanLateral(const ast::Join& join, Span at);
  // What STATE_TTL says of a side with these columns.
  std::optional<int64_t> StateTtlOf(const std::vector<ScopeColumn>& columns) const;
  // The right side of a join with FOR SYSTEM_TIME AS OF; what kind of join that is goes to `spec`.
  Relation PlanLookedUp(const ast::Join& join, const Relation& left, JoinSpec& spec);
  const ScopeColumn* AsOfColumn(const ast::Expr& as_of, const Relation& left) const;
  void MergeShared(Relation& relation, size_t shared) const;
  // left CROSS JOIN UNNEST(…): the left side's columns, then the elements'.
  Relation PlanUnnest(const ast::Join& join, const ast::TableRef& right);
  // UNNEST(…) of the rows before it, which may be a single one without columns.
  Relation UnnestBehind(Relation relation, const ast::TableRef& table, bool is_outer) const;
  Relation PlanNamed(const ast::NamedTable& table, Span at);
  Relation PlanView(const ViewDefinition& view);
  Relation PlanCommonTable(size_t index);
  Relation PlanTableFunction(const ast::TableFunction& function, Span at);
  const Catalog::Entry& FindEntry(const ast::QualifiedName& name) const;
  void Rename(Relation& relation,
              const std::string& alias,
              const std::vector<ast::Name>& columns) const;

  PlanContext& context_;
  // WITH … of the queries around the one at hand; a later one may read the earlier ones.
  std::vector<const ast::CommonTable*> common_tables_;
  const std::vector<ast::Option>* state_ttls_ = nullptr;  // of the SELECT at hand
  size_t depth_ = 0;  // of queries within queries, views unfolded
};

}  // namespace slipstream::sql
