#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// TopNOperator: of each partition the rows from rank `first` to rank `last` by a sort order, with
// their ranks if asked for: ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) with a condition on it.
//
// Emission    kUpdates: after each batch what it changed: with ranks, rank by rank what stands
//             there now; without, the rows that came in and those that fell out. Before any
//             addition comes every row that no longer is what it was. kAtEnd: all partitions in the
//             order of their keys, when the input has ended. kWindow: the partitions of a window,
//             likewise, when its end is reached; rows that come later are dropped and counted.
// State       the rows that have a place; all rows, if the input takes rows back. One saved key for
//             each. Format: docs/FORMATS.md, section "State".
class TopNOperator final : public Operator {
 public:
  enum class Emission { kUpdates, kAtEnd, kWindow };
  struct Description {
    std::vector<size_t> partition_columns;
    std::vector<SortKey> sort_keys;
    uint64_t first = 1;
    uint64_t last = 1;
    bool has_rank = false;       // a last column of the output, BIGINT
    bool prefers_later = false;  // of rows equal in the sort keys the one that came last is first
    Emission emission = Emission::kUpdates;
    size_t window_end = 0;    // kWindow: the column with the window's end
    bool takes_back = false;  // the input is an update stream
    Schema input;
    Schema output;
  };
  explicit TopNOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;
  using Ranking = std::vector<std::string>;  // encoded rows, from rank `first`
  class Rows;                                // rows on their way out

  void AppendPartition(const Batch& batch, size_t row, std::string& to) const;
  // Whether a row with that key would be behind all that are kept.
  bool HasNoPlace(const State& state, const std::string& partition, const std::string& key) const;
  void Add(State& state,
           const std::string& partition,
           const std::string& key,
           std::string row) const;
  static void Remove(State& state,
                     const std::string& partition,
                     const std::string& key,
                     const std::string& row);
  Ranking RankingOf(const State& state, const std::string& partition) const;
  // Gives, and forgets, the partitions whose keys begin with `prefix`.
  Status GiveAll(std::string_view prefix, State& state, Rows& rows, OperatorOutput& out) const;
  Status EmitChanges(const State& state,
                     const std::map<std::string, Ranking>& before,
                     OperatorOutput& out) const;
  Status AppendChanges(const Ranking& before, const Ranking& after, Rows& rows) const;
  Status AppendReplacements(const Ranking& before, const Ranking& after, Rows& rows) const;

  const Description description_;
  const RowKeyCodec partition_codec_;
  const SortKeyCodec sort_codec_;
  const RowCodec row_codec_;
};

}  // namespace slipstream::sql
