#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/expr/aggregate_function.h"
#include "processor/expr/function_registry.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// AggregateLayout: the states of several aggregate calls side by side in one piece of memory.
//
// Layout      state_bytes() bytes, aligned to 16: for each call its state, before it the set of
//             values seen if the call is DISTINCT.
// Ownership   none of the states: Init and Destroy bracket a state's life.
// Threads     immutable.
class AggregateLayout {
 public:
  explicit AggregateLayout(std::vector<AggregateCall> calls);

  size_t state_bytes() const { return state_bytes_; }
  const std::vector<AggregateCall>& calls() const { return calls_; }

  void Init(std::byte* state) const;
  void Destroy(std::byte* state) const;

  // The calls' arguments and filters, computed over one batch.
  struct Inputs {
    std::vector<std::vector<Column>> args;         // by call
    std::vector<std::vector<uint8_t>> is_counted;  // by call: by row; empty without a filter
  };
  Inputs Compute(Batch& batch, RowErrors& errors) const;
  // Of the rows for which that works: those that fail, here or in `errors` already, are rejected
  // and taken out of `rows`.
  Result<Inputs> ComputeSound(RowBatch& rows, RowErrors errors, OperatorOutput& out) const;

  // For each i: row rows[i] goes into states[i].
  void Update(std::span<std::byte* const> states,
              std::span<const uint32_t> rows,
              const Inputs& inputs) const;

  // What `from` has seen counts as seen after what `into` has.
  void Merge(std::byte* into, const std::byte* from) const;

  // Whether the results depend on the order of the rows.
  bool depends_on_order() const;
  // Whether Retract can take rows out again.
  bool can_retract() const;
  void Retract(std::span<std::byte* const> states,
               std::span<const uint32_t> rows,
               const Inputs& inputs) const;

  // Appends the results to columns[first] and those behind it.
  void Finish(const std::byte* state,
              std::vector<Column>& columns,
              size_t first,
              Arena& arena) const;

  // Format: docs/FORMATS.md, section "State".
  void Save(const std::byte* state, std::string& to) const;
  // Into a state after Init. kDataLoss: damaged.
  Status Restore(std::byte* state, std::string_view from) const;

 private:
  struct Slot {
    size_t state_offset = 0;
    size_t seen_offset = 0;  // DISTINCT only
  };

  void UpdateCall(size_t call,
                  std::span<std::byte* const> states,
                  std::span<const uint32_t> rows,
                  const Inputs& inputs) const;

  std::vector<AggregateCall> calls_;
  std::vector<Slot> slots_;
  size_t state_bytes_ = 0;
};

}  // namespace slipstream::sql
