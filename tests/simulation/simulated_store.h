#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dfs-master/key_value_store.h"
#include "dfs-master/memory_store.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/scheduler.h"

namespace slipstream::simulation {

// SimulatedStore: the master's store on a simulated disk: a sync takes its time, and others may
// apply batches and sync them meanwhile; a crash leaves a prefix of what was not synced yet.
//
// Ownership  survives the masters that use it, one after the other; borrows the scheduler.
class SimulatedStore final : public dfs::master::KeyValueStore {
 public:
  using Table = dfs::master::Table;

  SimulatedStore(Scheduler& scheduler, Random random, Mutation mutation);

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override;
  Result<std::optional<Entry>> FindLast(Table table,
                                        std::string_view begin,
                                        std::string_view end) const override;
  std::unique_ptr<dfs::master::KeyValueView> Snapshot() const override {
    return visible_->Snapshot();
  }
  Result<uint64_t> Apply(const dfs::master::WriteBatch& batch) override;
  Status Sync(uint64_t position) override;
  uint64_t position() const override { return position_; }
  uint64_t durable_position() const override { return durable_position_; }

  // ---- For the simulation ----

  // Whose store it is now; when that is dead nothing works any more. As a database does when it is
  // opened, makes durable what it finds.
  void Open(const Process& owner);
  // After `operations` more of Apply and Sync calls `act`, in the middle of the last one.
  void CountDown(uint64_t operations, std::function<void()> act);
  void SetSyncTimeMax(Micros time) { sync_time_max_ = time; }
  // A power cut: of what was not synced a prefix stays. The owner must be dead.
  void Crash();

  const dfs::master::KeyValueStore& contents() const { return *visible_; }

 private:
  struct Logged {
    uint64_t position;
    dfs::master::WriteBatch batch;
  };

  Status CheckAlive() const;
  void Count();
  dfs::master::WriteBatch Mutated(const dfs::master::WriteBatch& batch) const;
  void MakeDurable(uint64_t position);

  Scheduler& scheduler_;
  Random random_;
  const Mutation mutation_;
  const Process* owner_ = nullptr;
  Micros sync_time_max_{1'000};
  uint64_t operations_left_ = 0;
  std::function<void()> act_;
  std::unique_ptr<dfs::master::MemoryStore> visible_;
  std::unique_ptr<dfs::master::MemoryStore> durable_;
  std::deque<Logged> log_;  // not durable yet
  uint64_t position_ = 0;
  uint64_t durable_position_ = 0;
};

}  // namespace slipstream::simulation
