#include "processor/operators/aggregate_layout.h"

#include <algorithm>
#include <new>
#include <utility>

#include <absl/container/flat_hash_set.h>

#include "common/check/check.h"
#include "processor/expr/evaluator.h"
#include "processor/expr/state_bytes.h"
#include "processor/operators/key_codec.h"

namespace slipstream::sql {
namespace {

constexpr size_t kAlignment = 16;

// The encoded values that a DISTINCT call has counted.
using SeenValues = absl::flat_hash_set<std::string>;

SeenValues& SeenAt(std::byte* place) {
  return *std::launder(reinterpret_cast<SeenValues*>(place));
}
const SeenValues& SeenAt(const std::byte* place) {
  return *std::launder(reinterpret_cast<const SeenValues*>(place));
}

size_t Align(size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

KeyCodec CodecOf(const AggregateCall& call) {
  std::vector<DataType> types;
  for (const ExpressionPtr& arg : call.args)
    types.push_back(arg->type);
  return KeyCodec(std::move(types));
}

// Each is looked into: Merge takes what is there for whole.
Status RestoreSeen(const AggregateCall& call, std::string_view& from, SeenValues& seen) {
  uint32_t count = 0;
  if (!TakeNumber(from, count)) return DamagedState("distinct values");
  const KeyCodec codec = CodecOf(call);
  std::vector<Column> args;
  for (const ExpressionPtr& arg : call.args)
    args.emplace_back(arg->type);
  Arena arena;
  for (uint32_t i = 0; i < count; ++i) {
    std::string_view value;
    if (!TakeText(from, value)) return DamagedState("distinct values");
    RETURN_IF_ERROR(codec.Decode(value, args, 0, arena));
    seen.emplace(value);
  }
  return {};
}

bool HasNull(const std::vector<Column>& args, uint32_t row) {
  return std::any_of(
      args.begin(), args.end(), [row](const Column& column) { return column.is_null(row); });
}

}  // namespace

AggregateLayout::AggregateLayout(std::vector<AggregateCall> calls) : calls_(std::move(calls)) {
  for (AggregateCall& call : calls_) {
    for (ExpressionPtr& arg : call.args)
      arg = FoldConstants(arg);
    if (call.filter) call.filter = FoldConstants(call.filter);
    Slot slot;
    if (call.is_distinct) {
      slot.seen_offset = state_bytes_;
      state_bytes_ = Align(state_bytes_ + sizeof(SeenValues));
    }
    slot.state_offset = state_bytes_;
    state_bytes_ = Align(state_bytes_ + call.function->state_bytes());
    slots_.push_back(slot);
  }
}

void AggregateLayout::Init(std::byte* state) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].is_distinct) new (state + slots_[i].seen_offset) SeenValues();
    calls_[i].function->Init(state + slots_[i].state_offset);
  }
}

void AggregateLayout::Destroy(std::byte* state) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].is_distinct) SeenAt(state + slots_[i].seen_offset).~SeenValues();
    calls_[i].function->Destroy(state + slots_[i].state_offset);
  }
}

AggregateLayout::Inputs AggregateLayout::Compute(Batch& batch, RowErrors& errors) const {
  Inputs inputs;
  Arena& arena = batch.NewArena();
  for (const AggregateCall& call : calls_) {
    std::vector<Column>& args = inputs.args.emplace_back();
    std::vector<uint8_t>& is_counted = inputs.is_counted.emplace_back();
    RowErrors arg_errors;
    for (const ExpressionPtr& arg : call.args)
      args.push_back(Evaluate(*arg, batch, arena, call.filter ? arg_errors : errors));
    if (!call.filter) continue;
    is_counted.assign(batch.rows, 0);
    for (uint32_t row : SelectRows(*call.filter, batch, arena, errors))
      is_counted[row] = 1;
    // What the filter leaves out cannot fail.
    for (const RowErrors::Entry& entry : arg_errors.entries()) {
      if (is_counted[entry.row] != 0) errors.Add(entry.row, entry.message);
    }
  }
  return inputs;
}

Result<AggregateLayout::Inputs> AggregateLayout::ComputeSound(RowBatch& rows,
                                                              RowErrors errors,
                                                              OperatorOutput& out) const {
  Inputs inputs = Compute(rows.batch, errors);
  if (errors.empty()) return inputs;
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
  RowErrors none;
  inputs = Compute(rows.batch, none);
  SLIPSTREAM_CHECK(none.empty(), "rows fail that did not before");
  return inputs;
}

void AggregateLayout::Update(std::span<std::byte* const> states,
                             std::span<const uint32_t> rows,
                             const Inputs& inputs) const {
  for (size_t i = 0; i < calls_.size(); ++i)
    UpdateCall(i, states, rows, inputs);
}

void AggregateLayout::Merge(std::byte* into, const std::byte* from) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const AggregateCall& call = calls_[i];
    const size_t offset = slots_[i].state_offset;
    if (!call.is_distinct) {
      call.function->Merge(into + offset, from + offset);
      continue;
    }
    // Values that only `from` has seen go in one by one, in a fixed order.
    const SeenValues& theirs = SeenAt(from + slots_[i].seen_offset);
    SeenValues& ours = SeenAt(into + slots_[i].seen_offset);
    std::vector<std::string_view> values(theirs.begin(), theirs.end());
    std::sort(values.begin(), values.end());
    std::vector<Column> args;
    for (const ExpressionPtr& arg : call.args)
      args.emplace_back(arg->type);
    Arena arena;
    std::vector<uint32_t> rows;
    const KeyCodec codec = CodecOf(call);
    for (const std::string_view value : values) {
      if (!ours.emplace(value).second) continue;
      const Status decoded = codec.Decode(value, args, 0, arena);
      SLIPSTREAM_CHECK(decoded.ok(), "{}", decoded.ToString());  // they were encoded here
      rows.push_back(static_cast<uint32_t>(rows.size()));
    }
    call.function->Update(std::vector<std::byte*>(rows.size(), into), offset, rows, args);
  }
}

bool AggregateLayout::depends_on_order() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const AggregateCall& call) {
    return call.function->depends_on_order();
  });
}

bool AggregateLayout::can_retract() const {
  return std::all_of(calls_.begin(), calls_.end(), [](const AggregateCall& call) {
    return call.function->can_retract() && !call.is_distinct;
  });
}

void AggregateLayout::Retract(std::span<std::byte* const> states,
                              std::span<const uint32_t> rows,
                              const Inputs& inputs) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const std::vector<uint8_t>& is_counted = inputs.is_counted[i];
    std::vector<std::byte*> kept_states;
    std::vector<uint32_t> kept_rows;
    for (size_t j = 0; j < rows.size(); ++j) {
      if (!is_counted.empty() && is_counted[rows[j]] == 0) continue;
      kept_states.push_back(states[j]);
      kept_rows.push_back(rows[j]);
    }
    calls_[i].function->Retract(kept_states, slots_[i].state_offset, kept_rows, inputs.args[i]);
  }
}

void AggregateLayout::UpdateCall(size_t call,
                                 std::span<std::byte* const> states,
                                 std::span<const uint32_t> rows,
                                 const Inputs& inputs) const {
  const AggregateCall& description = calls_[call];
  const std::vector<Column>& args = inputs.args[call];
  const std::vector<uint8_t>& is_counted = inputs.is_counted[call];
  const size_t offset = slots_[call].state_offset;
  if (is_counted.empty() && !description.is_distinct) {
    description.function->Update(states, offset, rows, args);
    return;
  }
  std::vector<std::byte*> kept_states;
  std::vector<uint32_t> kept_rows;
  const KeyCodec codec = CodecOf(description);
  std::vector<const Column*> columns;
  columns.reserve(args.size());
  for (const Column& column : args)
    columns.push_back(&column);
  std::string value;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!is_counted.empty() && is_counted[rows[i]] == 0) continue;
    if (description.is_distinct) {
      if (HasNull(args, rows[i])) continue;
      value.clear();
      codec.Encode(columns, rows[i], value);
      if (!SeenAt(states[i] + slots_[call].seen_offset).insert(value).second) continue;
    }
    kept_states.push_back(states[i]);
    kept_rows.push_back(rows[i]);
  }
  description.function->Update(kept_states, offset, kept_rows, args);
}

void AggregateLayout::Finish(const std::byte* state,
                             std::vector<Column>& columns,
                             size_t first,
                             Arena& arena) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    calls_[i].function->Finish(state + slots_[i].state_offset, columns[first + i], arena);
  }
}

void AggregateLayout::Save(const std::byte* state, std::string& to) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].is_distinct) {
      const SeenValues& seen = SeenAt(state + slots_[i].seen_offset);
      std::vector<std::string_view> sorted(seen.begin(), seen.end());
      std::sort(sorted.begin(), sorted.end());
      PutNumber(to, static_cast<uint32_t>(sorted.size()));
      for (std::string_view value : sorted)
        PutText(to, value);
    }
    calls_[i].function->Save(state + slots_[i].state_offset, to);
  }
}

Status AggregateLayout::Restore(std::byte* state, std::string_view from) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].is_distinct) {
      RETURN_IF_ERROR(RestoreSeen(calls_[i], from, SeenAt(state + slots_[i].seen_offset)));
    }
    RETURN_IF_ERROR(calls_[i].function->Restore(state + slots_[i].state_offset, from));
  }
  return from.empty() ? Status() : DamagedState("bytes behind the aggregates");
}

}  // namespace slipstream::sql
