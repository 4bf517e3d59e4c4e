#include "processor/operators/expiring.h"

#include <list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "common/check/check.h"
#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kTimeVersion = 1;
// First bytes of saved keys.
constexpr char kStateKey = 's';
constexpr char kTimeKey = 't';

// Puts one byte before the keys of the other operator's state.
class StateKeySink final : public StateSink {
 public:
  explicit StateKeySink(StateSink& sink) : sink_(sink) {}
  void Put(std::string_view key, std::string_view value) override { sink_.Put(Prefix(key), value); }
  void Delete(std::string_view key) override { sink_.Delete(Prefix(key)); }

 private:
  static std::string Prefix(std::string_view key) { return std::string(1, kStateKey).append(key); }

  StateSink& sink_;
};

struct Entry {
  std::string key;
  int64_t written_us = 0;
  bool is_saved = false;
  bool is_changed = false;
};

// When keys were last written, the longest ago first.
class WriteTimes {
 public:
  // `is_renewed`: also if the key is known.
  void Touch(std::string_view key, int64_t now_us, bool is_renewed) {
    Settle();
    const auto found = places_.find(key);
    if (found != places_.end()) {
      Entries::iterator entry = found->second;
      if (!is_renewed || entry->written_us == now_us) return;
      entry->written_us = now_us;
      entry->is_changed = true;
      entries_.splice(entries_.end(), entries_, entry);
      return;
    }
    entries_.push_back({.key = std::string(key), .written_us = now_us, .is_changed = true});
    places_.emplace(entries_.back().key, std::prev(entries_.end()));
  }

  // The key that was written longest ago, if that was before `before_us`; nullptr: there is none.
  const Entry* Oldest(int64_t before_us) {
    Settle();
    return entries_.empty() || entries_.front().written_us >= before_us ? nullptr
                                                                        : &entries_.front();
  }
  void ForgetOldest() {
    Entry& entry = entries_.front();
    places_.erase(entry.key);
    if (entry.is_saved) deleted_.push_back(std::move(entry.key));
    entries_.pop_front();
  }

  void SaveChanges(StateSink& sink) {
    for (const std::string& key : deleted_)
      sink.Delete(std::string(1, kTimeKey).append(key));
    deleted_.clear();
    std::string value;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && entry->is_changed; ++entry) {
      value.assign(1, static_cast<char>(kTimeVersion));
      PutInt64(value, entry->written_us);
      sink.Put(std::string(1, kTimeKey).append(entry->key), value);
      entry->is_saved = true;
      entry->is_changed = false;
    }
  }

  Status Restore(std::string_view key, std::string_view value) {
    uint8_t version = 0;
    Entry entry{.key = std::string(key), .is_saved = true};
    if (!TakeByte(value, version) || version != kTimeVersion ||
        !TakeInt64(value, entry.written_us) || !value.empty() || places_.contains(key)) {
      return DamagedState("time of a key");
    }
    entries_.push_back(std::move(entry));
    places_.emplace(entries_.back().key, std::prev(entries_.end()));
    is_settled_ = false;
    return {};
  }

 private:
  using Entries = std::list<Entry>;

  // What was restored comes in any order.
  void Settle() {
    if (std::exchange(is_settled_, true)) return;
    entries_.sort([](const Entry& a, const Entry& b) {
      return std::tie(a.written_us, a.key) < std::tie(b.written_us, b.key);
    });
  }

  Entries entries_;
  absl::flat_hash_map<std::string_view, Entries::iterator> places_;
  std::vector<std::string> deleted_;  // keys that were saved and are gone since
  bool is_settled_ = true;
};

}  // namespace

struct ExpiringOperator::State final : OperatorState {
  explicit State(const Operator& operation) : inner(operation.MakeState()) {}

  std::unique_ptr<OperatorState> inner;
  WriteTimes times;
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
  return description_.operation->Process(std::move(rows), watermark, mine.inner.get(), out);
}

void ExpiringOperator::Expire(State& state, int64_t now_us) const {
  const int64_t before_us = now_us - description_.ttl_us + 1;
  while (const Entry* const oldest = state.times.Oldest(before_us)) {
    if (description_.operation->Forget(state.inner.get(), oldest->key)) {
      state.times.ForgetOldest();
    } else {
      state.times.Touch(oldest->key, now_us, true);
    }
  }
}

bool ExpiringOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  return description_.operation->SpillTo(static_cast<State*>(state)->inner.get(), space);
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
  StateKeySink inner(sink);
  description_.operation->SaveChanges(mine.inner.get(), inner);
  mine.times.SaveChanges(sink);
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
