#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// OverOperator: aggregates over the rows around each row: those before it in its partition's order.
// Gives every row of the input with the results behind its columns.
//
// Places      (lags) LEAD and ranks need all rows of a partition, so they are not by time.
// By time     (order_is_time) a row is given once the watermark has reached its time, in the order
//             of times and, within one time, as the rows came. A row that is not after the
//             watermark when it comes is dropped and counted.
// Otherwise   all rows are given when the input has ended, partition by partition in order.
// Frames      of a RANGE all rows with the same order count alike; ROWS go by the order they came.
// State       rows that were not given yet and rows that later frames reach, one saved key each;
//             for frames without a begin the aggregates of each partition. Format: docs/FORMATS.md,
//             section "State".
class OverOperator final : public Operator {
 public:
  struct Description {
    std::vector<size_t> partition_columns;
    std::vector<SortKey> sort_keys;
    bool order_is_time = false;
    OverFrame frame;
    std::vector<AggregateCall> aggregates;
    std::vector<LagCall> lags;
    Schema input;
    Schema output;
  };
  explicit OverOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  int64_t NextFiring(const OperatorState* state) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;
  void RestoreWatermark(OperatorState* state, int64_t watermark) const override;

 private:
  struct State;
  struct Partition;  // one partition's rows while results are computed
  struct Results;

  RowErrors Check(Batch& batch) const;
  bool is_unbounded() const { return !description_.frame.preceding; }
  // Whether there are aggregates of partitions to go on with.
  bool keeps_running() const { return is_unbounded() && !description_.aggregates.empty(); }
  int64_t TimeOf(const Batch& batch, size_t row) const;
  // Gives what of the partition is due, and forgets the rows no frame reaches any more.
  Status Fire(State& state, const std::string& key, int64_t watermark, Results& results) const;
  Status Load(State& state, const std::string& key, int64_t watermark, Partition& partition) const;
  Status ComputeRunning(State& state,
                        const std::string& key,
                        Partition& partition,
                        Results& results) const;
  Status ComputeFrames(Partition& partition, Results& results) const;
  // Appends row `row` with the aggregates at `aggregates` to the results.
  void Append(const Partition& partition,
              size_t row,
              const std::byte* aggregates,
              Results& results) const;
  // Appends what the calls about the row's place give.
  void AppendPlaces(const Partition& partition, size_t row, Results& results) const;
  void Prune(State& state, const Partition& partition, int64_t watermark) const;

  const Description description_;
  const AggregateLayout layout_;
  const RowKeyCodec partition_codec_;
  const SortKeyCodec sort_codec_;
  const RowCodec row_codec_;
  const int64_t rows_kept_;  // of each partition, that ROWS frames and LAG look back at
};

}  // namespace slipstream::sql
