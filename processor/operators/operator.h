#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/expr/row_errors.h"
#include "processor/operators/row_batch.h"

namespace slipstream::sql {

// The watermark at the end of bounded input.
inline constexpr int64_t kWatermarkEnd = INT64_MAX;
// Before the first row.
inline constexpr int64_t kWatermarkNone = INT64_MIN;
// No processing time is waited for.
inline constexpr int64_t kNoTick = INT64_MAX;

// What an operator is given to work with: where results go, and what does not become one.
class OperatorOutput {
 public:
  virtual ~OperatorOutput() = default;

  virtual Status Emit(RowBatch rows) = 0;
  // These rows of `from` failed. Each entry's first message counts; rows may repeat.
  virtual Status Reject(const RowBatch& from, const RowErrors& errors) = 0;
  // These rows of `from` came too late for a window.
  virtual Status DropLate(const RowBatch& from, const std::vector<uint32_t>& rows) = 0;
  // So many rows of an only input did, of which nothing is left but what they came to together.
  virtual Status CountLate(uint64_t rows) = 0;
};

// Where changed state goes.
class StateSink {
 public:
  virtual ~StateSink() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
};

// What an operator keeps between batches; made by it, and cast back by it alone.
class OperatorState {
 public:
  virtual ~OperatorState() = default;
};

// Operator: one step of a query over batches of rows. The description is immutable and shared by
// all tasks; what changes is in the state.
//
// Threads     thread-safe, if every state is used by one thread at a time.
// Determinism the rows given do not depend on how the input is cut into batches; their order does
//             not either, except between the rows of different Process calls. Of an update stream
//             that holds for the result it describes: what changes twice in one batch is given
//             once.
class Operator {
 public:
  virtual ~Operator() = default;

  // nullptr: it keeps none.
  virtual std::unique_ptr<OperatorState> MakeState() const { return nullptr; }

  // Before anything else is done with the state: what it keeps may be more than memory holds. From
  // here on keys that nothing happens to lie in `space`, which outlives the state, once they do not
  // fit into its cache; what has changed since the last SaveChanges stays in memory. false: it
  // keeps all of it in memory.
  virtual bool SpillTo(OperatorState* state, ScratchSpace& space) const;

  // `watermark` is that of the input, as it was before these rows; of several inputs the least.
  // Rows of several inputs say which they come by (RowBatch::input).
  virtual Status Process(RowBatch rows,
                         int64_t watermark,
                         OperatorState* state,
                         OperatorOutput& out) const = 0;
  // The watermark has risen to `watermark`; kWatermarkEnd: nothing more comes.
  virtual Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const;
  // An epoch ends: whatever it holds back without saving it is given now.
  virtual Status EndEpoch(OperatorState* state, OperatorOutput& out) const;
  // What the watermark of its rows is once its input's is `watermark`: lower, if it gives rows that
  // are older than that. Grows with `watermark`; of kWatermarkEnd it is kWatermarkEnd.
  virtual int64_t WatermarkBehind(int64_t watermark) const { return watermark; }

  // Drops what it keeps of a key (its own columns as RowKeyCodec writes them), as if no row of it
  // had ever come; gives nothing. false: that cannot be yet. Only of operators that have keys.
  virtual bool Forget(OperatorState* state, std::string_view key) const;

  // The least watermark at which Advance does something with what is kept; kWatermarkEnd: it may
  // not do anything before the end.
  virtual int64_t NextFiring(const OperatorState* /*state*/) const { return kWatermarkEnd; }

  // When, in processing time (microseconds since 1970 UTC), something is to happen though no row
  // comes: Tick is called then, or later. kNoTick: nothing is waited for.
  virtual int64_t NextTick(const OperatorState* /*state*/) const { return kNoTick; }
  virtual Status Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const;

  // Whether the state has to survive the task. If so: SaveChanges writes every key that changed
  // since the last call, Restore takes one that was written.
  virtual bool is_stateful() const { return false; }
  virtual void SaveChanges(OperatorState* state, StateSink& sink) const;
  virtual Status Restore(OperatorState* state, std::string_view key, std::string_view value) const;
  // After all of Restore: the watermark as it was when the state was saved. Nothing is to fire.
  // Not called if there was none yet.
  virtual void RestoreWatermark(OperatorState* state, int64_t watermark) const;
};

// The rows of `rows` without those in `errors`, which are rejected.
Result<RowBatch> TakeOutFailed(RowBatch rows, const RowErrors& errors, OperatorOutput& out);

}  // namespace slipstream::sql
