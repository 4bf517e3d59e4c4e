#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"

namespace slipstream::sql {

// RegroupAggregateOperator: aggregation without a window over an update stream, for aggregates that
// cannot forget a row: MIN, MAX, DISTINCT and the like. It keeps the rows of every group, in the
// order they came, and computes a group anew when one of them comes or goes; after each batch it
// gives what changed, as GroupAggregateOperator does.
//
// State       one saved key for each row. Format: docs/FORMATS.md, section "State".
class RegroupAggregateOperator final : public Operator {
 public:
  struct Description {
    std::vector<size_t> group_columns;
    std::vector<AggregateCall> aggregates;
    Schema input;
    Schema output;
  };
  explicit RegroupAggregateOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;
  // Which row of the results a group's are; nullopt: it has no rows.
  using Places = std::map<std::string, std::optional<uint32_t>>;

  // Computes the group from its rows and appends the results to `to`, if there are any.
  Result<std::optional<uint32_t>> Compute(const State& state,
                                          const std::string& group,
                                          Batch& to) const;
  Status EmitChanges(const State& state,
                     const Places& before,
                     Batch results,
                     OperatorOutput& out) const;

  const Description description_;
  const AggregateLayout layout_;
  const RowKeyCodec codec_;
  const RowCodec input_codec_;
  const RowCodec result_codec_;
};

}  // namespace slipstream::sql
