#include "processor/operators/expiring.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/check/check.h"
#include "processor/expr/state_bytes.h"
#include "processor/operators/scratch_part.h"
#include "processor/operators/write_times.h"

namespace slipstream::sql {
namespace {

// First bytes of saved keys, and of those in the space.
constexpr char kStateKey = 's';
constexpr char kTimeKey = 't';

// Puts one byte before keys.
class PartSink final : public StateSink {
 public:
  PartSink(StateSink& sink, char prefix) : sink_(sink), prefix_(prefix) {}
  void Put(std::string_view key, std::string_view value) override { sink_.Put(Whole(key), value); }
  void Delete(std::string_view key) override { sink_.Delete(Whole(key)); }

 private:
  std::string Whole(std::string_view key) const { return std::string(1, prefix_).append(key); }

  StateSink& sink_;
  const char prefix_;
};

}  // namespace

struct ExpiringOperator::State final : OperatorState {
  explicit State(const Operator& operation) : inner(operation.MakeState()) {}

  std::unique_ptr<OperatorState> inner;
  WriteTimes times;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_inner;
  std::optional<ScratchPart> spilled_times;
};

ExpiringOperator::ExpiringOperator(Description description)
    : description_(std::move(description)), codec_(description_.input, description_.key_columns) {
  SLIPSTREAM_CHECK(description_.ttl_us > 0, "ttl_us={}", description_.ttl_us);
}

std::unique_ptr<OperatorState> ExpiringOperator::MakeState() const {
  return std::make_unique<State>(*description_.operation);
}

Status ExpiringOperator::Process(RowBatch rows,
                                 int64_t watermark,
                                 OperatorState* state,
                                 OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  Expire(mine, rows.batch.now_us);
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    codec_.Encode(rows.batch.columns, row, key);
    mine.times.Touch(key, rows.batch.now_us, description_.is_renewed);
  }
  mine.times.Trim();
  return description_.operation->Process(std::move(rows), watermark, mine.inner.get(), out);
}

void ExpiringOperator::Expire(State& state, int64_t now_us) const {
  const int64_t before_us = now_us - description_.ttl_us + 1;
  while (const std::optional<std::string> oldest = state.times.ForgetOldest(before_us)) {
    if (description_.operation->Forget(state.inner.get(), *oldest)) continue;
    state.times.Touch(*oldest, now_us, true);
  }
}

bool ExpiringOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  constexpr size_t kParts = 2;
  State& mine = *static_cast<State*>(state);
  mine.times.SpillTo(mine.spilled_times.emplace(space, kTimeKey, kParts));
  description_.operation->SpillTo(mine.inner.get(),
                                  mine.spilled_inner.emplace(space, kStateKey, kParts));
  return true;
}

Status ExpiringOperator::Advance(int64_t watermark,
                                 OperatorState* state,
                                 OperatorOutput& out) const {
  return description_.operation->Advance(watermark, static_cast<State*>(state)->inner.get(), out);
}

Status ExpiringOperator::EndEpoch(OperatorState* state, OperatorOutput& out) const {
  return description_.operation->EndEpoch(static_cast<State*>(state)->inner.get(), out);
}

int64_t ExpiringOperator::WatermarkBehind(int64_t watermark) const {
  return description_.operation->WatermarkBehind(watermark);
}

int64_t ExpiringOperator::NextTick(const OperatorState* state) const {
  return description_.operation->NextTick(static_cast<const State*>(state)->inner.get());
}

Status ExpiringOperator::Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const {
  return description_.operation->Tick(now_us, static_cast<State*>(state)->inner.get(), out);
}

void ExpiringOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  PartSink inner(sink, kStateKey);
  description_.operation->SaveChanges(mine.inner.get(), inner);
  PartSink times(sink, kTimeKey);
  mine.times.SaveChanges(times);
  mine.times.Trim();
}

Status ExpiringOperator::Restore(OperatorState* state,
                                 std::string_view key,
                                 std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  if (key.empty()) return DamagedState("key of an operator that forgets");
  const char kind = key.front();
  key.remove_prefix(1);
  if (kind == kTimeKey) return mine.times.Restore(key, value);
  if (kind != kStateKey) return DamagedState("key of an operator that forgets");
  return description_.operation->Restore(mine.inner.get(), key, value);
}

void ExpiringOperator::RestoreWatermark(OperatorState* state, int64_t watermark) const {
  description_.operation->RestoreWatermark(static_cast<State*>(state)->inner.get(), watermark);
}

}  // namespace slipstream::sql
