#include "tests/simulation/simulated_store.h"

#include <utility>

#include "common/check/check.h"

namespace slipstream::simulation {

using dfs::master::kTableCount;
using dfs::master::MemoryStore;
using dfs::master::WriteBatch;

namespace {
// Of the ids that were given out (dfs-master/block_ledger.cpp).
constexpr const char* kBlockIdMark = "block_id_end";
}  // namespace

SimulatedStore::SimulatedStore(Scheduler& scheduler, Random random, Mutation mutation)
    : scheduler_(scheduler),
      random_(random),
      mutation_(mutation),
      visible_(std::make_unique<MemoryStore>()),
      durable_(std::make_unique<MemoryStore>()) {}

Result<std::optional<std::string>> SimulatedStore::Get(Table table, std::string_view key) const {
  return visible_->Get(table, key);
}

Status SimulatedStore::Scan(Table table,
                            std::string_view begin,
                            std::string_view end,
                            const Visitor& visit) const {
  return visible_->Scan(table, begin, end, visit);
}

Result<std::optional<SimulatedStore::Entry>> SimulatedStore::FindLast(Table table,
                                                                      std::string_view begin,
                                                                      std::string_view end) const {
  return visible_->FindLast(table, begin, end);
}

Status SimulatedStore::CheckAlive() const {
  if (owner_ != nullptr && owner_->is_alive()) return {};
  return Unavailable("the machine is down");
}

void SimulatedStore::Count() {
  if (operations_left_ == 0 || --operations_left_ != 0) return;
  std::exchange(act_, nullptr)();
}

void SimulatedStore::Open(const Process& owner) {
  owner_ = &owner;
  MakeDurable(position_);
}

void SimulatedStore::CountDown(uint64_t operations, std::function<void()> act) {
  operations_left_ = operations;
  act_ = std::move(act);
}

WriteBatch SimulatedStore::Mutated(const WriteBatch& batch) const {
  WriteBatch mutated;
  for (const WriteBatch::Change& change : batch.changes()) {
    if (mutation_ == Mutation::kForgetRequests && change.table == Table::kRequests) continue;
    if (mutation_ == Mutation::kForgetReservation && change.table == Table::kReservations) continue;
    if (change.value.has_value()) {
      mutated.Put(change.table, change.key, *change.value);
    } else {
      mutated.Delete(change.table, change.key);
    }
  }
  return mutated;
}

Result<uint64_t> SimulatedStore::Apply(const WriteBatch& batch) {
  Count();
  RETURN_IF_ERROR(CheckAlive());
  WriteBatch mutated = Mutated(batch);
  RETURN_IF_ERROR(visible_->Apply(mutated).status());
  log_.push_back({.position = ++position_, .batch = std::move(mutated)});
  return position_;
}

void SimulatedStore::MakeDurable(uint64_t position) {
  while (!log_.empty() && log_.front().position <= position) {
    WriteBatch batch;
    for (const WriteBatch::Change& change : log_.front().batch.changes()) {
      const bool is_mark = change.table == Table::kMeta && change.key == kBlockIdMark;
      if (mutation_ == Mutation::kForgetIdMark && is_mark) continue;
      if (change.value.has_value()) {
        batch.Put(change.table, change.key, *change.value);
      } else {
        batch.Delete(change.table, change.key);
      }
    }
    SLIPSTREAM_CHECK(durable_->Apply(batch).ok(), "the durable copy takes everything");
    durable_position_ = log_.front().position;
    log_.pop_front();
  }
}

Status SimulatedStore::Sync(uint64_t position) {
  if (position <= durable_position_) return {};
  Count();
  if (mutation_ == Mutation::kAnswerBeforeSync) {
    scheduler_.After(Micros(2'000'000), [this, position, owner = owner_] {
      if (owner == owner_ && CheckAlive().ok()) MakeDurable(position);
    });
    return CheckAlive();
  }
  while (durable_position_ < position) {
    RETURN_IF_ERROR(CheckAlive());
    const uint64_t target = position_;
    (void)scheduler_.Sleep(Micros(random_.Between(20, sync_time_max_.count())));
    RETURN_IF_ERROR(CheckAlive());
    MakeDurable(target);
  }
  return {};
}

void SimulatedStore::Crash() {
  SLIPSTREAM_CHECK(!CheckAlive().ok(), "the store's owner lives");
  operations_left_ = 0;
  // What the kernel had written anyway.
  const uint64_t kept = random_.Below(log_.size() + 1);
  if (kept > 0) MakeDurable(durable_position_ + kept);
  if (mutation_ == Mutation::kTornBatch && !log_.empty()) {
    WriteBatch half;
    const auto& changes = log_.front().batch.changes();
    for (size_t i = 0; i < changes.size() / 2; ++i) {
      if (changes[i].value.has_value())
        half.Put(changes[i].table, changes[i].key, *changes[i].value);
    }
    SLIPSTREAM_CHECK(durable_->Apply(half).ok(), "the durable copy takes everything");
    durable_position_ = log_.front().position;
  }
  log_.clear();
  position_ = durable_position_;
  visible_ = std::make_unique<MemoryStore>();
  WriteBatch all;
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    const Status copied =
        durable_->Scan(table, "", "", [&](std::string_view key, std::string_view value) {
          all.Put(table, std::string(key), std::string(value));
          return true;
        });
    SLIPSTREAM_CHECK(copied.ok(), "the durable copy can be read");
  }
  SLIPSTREAM_CHECK(visible_->Apply(all).ok(), "memory takes everything");
}

}  // namespace slipstream::simulation
