#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// ExpiringOperator: another operator that forgets what it keeps of a key when no row of the key has
// come for some time ('table.exec.state.ttl'). Nothing is given when that happens; the next row of
// the key is as its first.
//
// Time        processing time, as rows bring it (Batch::now_us). Keys are looked at when rows come,
//             before these are worked on: rows that come together are of one time.
// State       the other's, and when each key was last written: so a task that takes over forgets
//             when this one would have. Format: docs/FORMATS.md, section "State".
class ExpiringOperator final : public Operator {
 public:
  struct Description {
    std::unique_ptr<const Operator> operation;  // it can Forget
    std::vector<size_t> key_columns;            // of the input, as Forget takes them
    Schema input;
    int64_t ttl_us = 0;      // > 0
    bool is_renewed = true;  // by every row; otherwise the time runs from the key's first row on
  };
  explicit ExpiringOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  Status EndEpoch(OperatorState* state, OperatorOutput& out) const override;
  int64_t WatermarkBehind(int64_t watermark) const override;
  int64_t NextTick(const OperatorState* state) const override;
  Status Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;
  void RestoreWatermark(OperatorState* state, int64_t watermark) const override;

 private:
  struct State;

  void Expire(State& state, int64_t now_us) const;

  const Description description_;
  const RowKeyCodec codec_;
};

}  // namespace slipstream::sql
