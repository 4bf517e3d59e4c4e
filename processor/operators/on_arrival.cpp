#include "processor/operators/on_arrival.h"

#include <algorithm>
#include <string>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/types/date_time.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
// First bytes of saved keys.
constexpr char kTimeKey = 't';
constexpr char kInnerKey = 'i';
constexpr int64_t kNoTime = INT64_MIN;

// Puts one byte before the inner operator's keys.
class InnerSink final : public StateSink {
 public:
  explicit InnerSink(StateSink& sink) : sink_(sink) {}
  void Put(std::string_view key, std::string_view value) override {
    sink_.Put(std::string(1, kInnerKey).append(key), value);
  }
  void Delete(std::string_view key) override {
    sink_.Delete(std::string(1, kInnerKey).append(key));
  }

 private:
  StateSink& sink_;
};

}  // namespace

struct OnArrivalOperator::State final : OperatorState {
  std::unique_ptr<OperatorState> inner;
  int64_t last = kNoTime;  // the last time that was used
  int64_t saved = kNoTime;
  bool is_restored = false;  // and the inner state has not heard of the time yet
};

// A row that comes now belongs into windows that end later: those that end by now have fired when
// the watermark is a millisecond behind (WindowMaxTime).
OnArrivalOperator::OnArrivalOperator(std::unique_ptr<const Operator> inner,
                                     std::vector<size_t> time_columns,
                                     Emission emission)
    : inner_(std::move(inner)),
      time_columns_(std::move(time_columns)),
      emission_(emission),
      lag_us_(emission == Emission::kAtOnce ? 0 : kMicrosPerMilli) {}

std::unique_ptr<OperatorState> OnArrivalOperator::MakeState() const {
  auto state = std::make_unique<State>();
  state->inner = inner_->MakeState();
  return state;
}

bool OnArrivalOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  return inner_->SpillTo(static_cast<State*>(state)->inner.get(), space);
}

int64_t OnArrivalOperator::Raise(int64_t now_us, State& state) const {
  if (std::exchange(state.is_restored, false) && state.last != kNoTime) {
    inner_->RestoreWatermark(state.inner.get(), state.last - lag_us_);
  }
  state.last = std::max(state.last, now_us);
  return state.last;
}

Status OnArrivalOperator::Process(RowBatch rows,
                                  int64_t /*watermark*/,
                                  OperatorState* state,
                                  OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const bool is_at_once = emission_ == Emission::kAtOnce;
  // Rows that come within one tick of the clock still come one after the other.
  const int64_t after = is_at_once && mine.last != kNoTime ? mine.last + 1 : kNoTime;
  const int64_t now = Raise(std::max(rows.batch.now_us, after), mine);
  if (!is_at_once) RETURN_IF_ERROR(inner_->Advance(now - lag_us_, mine.inner.get(), out));
  Column& times = rows.batch.columns[time_columns_[rows.input]];
  times.ints.assign(rows.batch.rows, now);
  times.valid.clear();
  const int64_t watermark = is_at_once ? now - 1 : now - lag_us_;
  RETURN_IF_ERROR(inner_->Process(std::move(rows), watermark, mine.inner.get(), out));
  return is_at_once ? inner_->Advance(now, mine.inner.get(), out) : Status();
}

Status OnArrivalOperator::Advance(int64_t watermark,
                                  OperatorState* state,
                                  OperatorOutput& out) const {
  if (watermark != kWatermarkEnd) return {};
  State& mine = *static_cast<State*>(state);
  Raise(mine.last, mine);
  return inner_->Advance(kWatermarkEnd, mine.inner.get(), out);
}

int64_t OnArrivalOperator::NextTick(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  const int64_t due = inner_->NextFiring(mine.inner.get());
  const int64_t by_time = due == kWatermarkEnd ? kNoTick : due + lag_us_;
  return std::min(by_time, inner_->NextTick(mine.inner.get()));
}

Status OnArrivalOperator::Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const int64_t now = Raise(now_us, mine);
  RETURN_IF_ERROR(inner_->Advance(now - lag_us_, mine.inner.get(), out));
  const bool is_due = inner_->NextTick(mine.inner.get()) <= now;
  return is_due ? inner_->Tick(now, mine.inner.get(), out) : Status();
}

bool OnArrivalOperator::Forget(OperatorState* state, std::string_view key) const {
  // What was restored is not younger than the last time: it would be kept as if it were to come.
  State& mine = *static_cast<State*>(state);
  Raise(mine.last, mine);
  return inner_->Forget(mine.inner.get(), key);
}

void OnArrivalOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  InnerSink inner(sink);
  inner_->SaveChanges(mine.inner.get(), inner);
  if (mine.last == mine.saved) return;
  std::string value(1, static_cast<char>(kStateVersion));
  PutInt64(value, mine.last);
  sink.Put(std::string(1, kTimeKey), value);
  mine.saved = mine.last;
}

Status OnArrivalOperator::Restore(OperatorState* state,
                                  std::string_view key,
                                  std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  mine.is_restored = true;
  if (key.starts_with(kInnerKey)) {
    return inner_->Restore(mine.inner.get(), key.substr(1), value);
  }
  uint8_t version = 0;
  if (key != std::string_view(&kTimeKey, 1) || !TakeByte(value, version)) {
    return DamagedState("processing time");
  }
  if (version != kStateVersion) {
    return DataLoss("saved processing time has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(kStateVersion));
  }
  if (!TakeInt64(value, mine.last)) return DamagedState("processing time");
  mine.saved = mine.last;
  return {};
}

}  // namespace slipstream::sql
