#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "dfs-master/master.h"
#include "dfs-master/memory_store.h"

namespace slipstream::dfs::master {

// A master over a store and a clock that a test holds in its hands, with datanodes that do what
// they are told.
class MasterHarness : public ::testing::Test {
 protected:
  MasterHarness() { Open(); }

  void Open() {
    auto opened = Master::Open(options_, store_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    master_ = std::move(*opened);
  }
  // As after kill −9: what was applied is there, all else is gone.
  void Restart() {
    master_.reset();
    Open();
  }
  // As after a power failure: only what was synced is there.
  void Crash() {
    master_.reset();
    store_.Crash();
    Open();
  }

  // A heartbeat with the replicas that came since the last one.
  void Beat(const std::string& node_id,
            const std::vector<ReplicaChange>& changes = {},
            uint32_t active_writes = 0) {
    auto answer = master_->Heartbeat(
        node_id,
        sessions_[node_id],
        {.capacity_bytes = kCapacity, .free_bytes = kCapacity, .active_writes = active_writes},
        changes);
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    for (auto& command : answer->commands)
      commands_[node_id].push_back(command);
    if (answer->merge.has_value()) merge_orders_[node_id].push_back(*answer->merge);
    wants_full_report_ = answer->wants_full_report;
  }

  void AddNode(const std::string& node_id, const std::vector<Block>& replicas = {}) {
    auto registered = master_->Register({.node_id = node_id, .address = node_id + ":7410"});
    ASSERT_TRUE(registered.ok()) << registered.status().ToString();
    sessions_[node_id] = registered->session;
    Beat(node_id);
    auto reported = master_->ReportBlocks(node_id, sessions_[node_id], 0, replicas);
    ASSERT_TRUE(reported.ok()) << reported.status().ToString();
  }
  void AddNodes() {
    for (const char* node_id : {"a", "b", "c"})
      AddNode(node_id);
  }

  // Lets time pass with the given nodes alive.
  void Pass(std::chrono::seconds time, const std::vector<std::string>& alive) {
    for (auto passed = std::chrono::seconds(0); passed < time; passed += std::chrono::seconds(1)) {
      clock_.Advance(std::chrono::seconds(1));
      for (const std::string& node_id : alive)
        Beat(node_id);
      ASSERT_TRUE(master_->Tick().ok());
    }
  }

  Block NewBlock(const std::string& owner, uint32_t raw_bytes = 100) {
    auto allocation =
        master_->AllocateBlocks({.writer = owner, .count = 1, .stored_bytes = raw_bytes});
    EXPECT_TRUE(allocation.ok()) << allocation.status().ToString();
    if (!allocation.ok()) return {};
    return {.id = allocation->ids.first, .raw_bytes = raw_bytes, .stored_bytes = 50, .crc32c = 7};
  }
  PreparedBlock NewPreparedBlock(const std::string& owner, uint32_t raw_bytes = 100) {
    return {.block = NewBlock(owner, raw_bytes), .holder_node_ids = {"a", "b"}};
  }

  uint64_t Acquire(const std::string& owner) {
    auto acquired = master_->AcquireAppender(owner);
    EXPECT_TRUE(acquired.ok());
    return acquired.ok() ? acquired->incarnation : 0;
  }

  // The epoch of one file.
  static EpochAppend OneFile(const std::string& owner, EpochPair pair, FileAppend file) {
    EpochAppend epoch{.owner = owner, .incarnation = pair.incarnation, .epoch = pair.epoch};
    epoch.files.push_back(std::move(file));
    return epoch;
  }
  Result<PrepareResult> Prepare(const EpochAppend& epoch, bool commit = false) {
    return master_->Prepare(std::span(&epoch, 1), commit);
  }
  Result<std::vector<InodeId>> Commit(const std::string& owner, EpochPair pair) {
    EpochCommit commit{.owner = owner, .pair = pair};
    return master_->Commit(std::span(&commit, 1));
  }
  // A whole file in one step, as `dfs put` writes it.
  Block PutFile(const std::string& path, uint32_t raw_bytes = 100) {
    const std::string owner = "put:" + path;
    EpochPair pair{.epoch = 1, .incarnation = Acquire(owner)};
    PreparedBlock block = NewPreparedBlock(owner, raw_bytes);
    auto prepared = Prepare(
        OneFile(owner, pair, {.new_path = path, .blocks = {block}, .is_closing = true}), true);
    EXPECT_TRUE(prepared.ok()) << prepared.status().ToString();
    return block.block;
  }

  Code CodeOf(const std::string& path) { return master_->GetStatus(path).status().code(); }
  uint64_t LengthOf(const std::string& path) {
    auto status = master_->GetStatus(path);
    return status.ok() ? status->length_bytes : UINT64_MAX;
  }
  static ReplicaChange Added(uint64_t sequence, const Block& block) {
    return {.sequence = sequence, .kind = ReplicaChange::Kind::kAdded, .block = block};
  }

  static constexpr uint64_t kCapacity = uint64_t{100} << 30;

  ManualClock clock_;
  MemoryStore store_;
  Master::Options options_;
  std::unique_ptr<Master> master_;
  std::map<std::string, uint64_t> sessions_;
  std::map<std::string, std::vector<HeartbeatAnswer::Command>> commands_;
  std::map<std::string, std::vector<MergeOrder>> merge_orders_;
  bool wants_full_report_ = false;
};

}  // namespace slipstream::dfs::master
