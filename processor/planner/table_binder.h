#pragma once

#include "processor/planner/plan.h"
#include "processor/planner/plan_context.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// The table a CREATE TABLE declares: types and expressions of its columns, its watermark and keys.
// Options are kept as they are; each connector checks its own. `base`: the table that LIKE names,
// or one of the columns of AS; null: neither. Throws SqlError. Private to planner/.
TablePtr BindTable(const PlanContext& context,
                   const ast::CreateTable& create,
                   const TableDefinition* base);

// The columns INSERT may give, in order: neither computed nor VIRTUAL.
std::vector<size_t> InsertableColumns(const TableDefinition& table);

// What DESCRIBE prints.
std::string DescribeTable(const TableDefinition& table);

}  // namespace slipstream::sql
