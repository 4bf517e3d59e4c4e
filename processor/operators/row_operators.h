#pragma once

#include <optional>
#include <vector>

#include "processor/expr/expression.h"
#include "processor/operators/operator.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// The operators that look at one row at a time, and those that only bounded input has.

// Keeps the rows for which the condition is TRUE.
class FilterOperator final : public Operator {
 public:
  explicit FilterOperator(const ExpressionPtr& condition);
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  const ExpressionPtr condition_;
  const bool asks_watermark_;
};

// Computes one column for each expression.
class ProjectOperator final : public Operator {
 public:
  explicit ProjectOperator(std::vector<ExpressionPtr> expressions);
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  std::vector<ExpressionPtr> expressions_;
  std::vector<bool> asks_watermark_;  // by expression
  // Of each expression: it is a bare column that nothing else reads, so it is moved, not copied.
  std::vector<bool> is_moved_;
};

// Gives each row once for every list of expressions, which make its columns: all rows by the first
// list, then all by the second.
class ExpandOperator final : public Operator {
 public:
  explicit ExpandOperator(const std::vector<std::vector<ExpressionPtr>>& expansions);
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  std::vector<ProjectOperator> projections_;
};

// Gives everything on; several inputs may feed it.
class UnionOperator final : public Operator {
 public:
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
};

// All rows in order, at the end of bounded input. Rows that are equal in all keys keep their order.
class SortOperator final : public Operator {
 public:
  SortOperator(std::vector<SortKey> keys, Schema schema);
  std::unique_ptr<OperatorState> MakeState() const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;

 private:
  const std::vector<SortKey> keys_;
  const Schema schema_;
};

// The rows from number `offset` on, at most `limit` of them.
class LimitOperator final : public Operator {
 public:
  LimitOperator(uint64_t offset, std::optional<uint64_t> limit);
  std::unique_ptr<OperatorState> MakeState() const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  const uint64_t offset_;
  const std::optional<uint64_t> limit_;
};

}  // namespace slipstream::sql
