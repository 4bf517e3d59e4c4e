// Goal: at whatever operation on the disk a node loses power, after the restart every acknowledged
// block is there and right, and nothing else is ever read wrong.
// Method: one scripted life of a store on a disk that fails for good at its n-th operation, for
// every n until the life completes; then a power cut that keeps and loses unsynced bytes and names
// by the seed; then a reopened store is compared with the model of what was acknowledged.

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

using Operation = MemoryFileSystem::Operation;

constexpr uint32_t kSeeds = 5;

struct Model {
  std::set<block::BlockId> acknowledged;  // must be there
  std::set<block::BlockId> deleted;       // may be there
};

const TestBlock& BlockOf(block::BlockId id) {
  static std::map<block::BlockId, TestBlock>* blocks = new std::map<block::BlockId, TestBlock>();
  auto found = blocks->find(id);
  if (found == blocks->end()) {
    found = blocks->emplace(id, id % 3 == 0 ? LargeBlock(id) : SmallBlock(id)).first;
  }
  return found->second;
}

// Goes on after errors, as a daemon does.
void Live(ReplicaStore& store, ManualClock& clock, Model& model) {
  block::BlockId next = 1;
  for (int round = 0; round < 6; ++round) {
    for (int stream = 0; stream < 3; ++stream) {
      std::vector<TestBlock> blocks;
      for (int i = 0; i <= stream; ++i)
        blocks.push_back(BlockOf(next++));
      if (!Write(store, blocks).ok()) continue;
      for (const TestBlock& block : blocks)
        model.acknowledged.insert(block.id());
    }
    for (block::BlockId id = next - 6; id < next - 2; ++id) {
      if (!store.Delete(id).ok()) continue;
      model.acknowledged.erase(id);
      model.deleted.insert(id);
    }
    clock.Advance(ReplicaStore::Options().park_time);
    store.Reap();
    (void)store.Compact();
  }
}

void Check(ReplicaStore& store, const Model& model) {
  const std::vector<block::BlockId> ids = Ids(store);
  const std::set<block::BlockId> found(ids.begin(), ids.end());
  for (block::BlockId id : model.acknowledged)
    ASSERT_TRUE(found.contains(id)) << "lost " << id;
  for (block::BlockId id : found) {
    Result<std::string> read = ReadAll(store, id);
    ASSERT_TRUE(read.ok()) << id << ": " << read.status().ToString();
    ASSERT_EQ(*read, BlockOf(id).stored) << id;
    ASSERT_TRUE(store.Verify(id).ok()) << id;
  }
}

// One life in a new store, whose disk fails for good at operation number `fails_at`. How many
// operations there were.
uint64_t LiveUntil(uint64_t fails_at, MemoryFileSystem& fs, ManualClock& clock, Model& model) {
  uint64_t operations = 0;
  Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(StoreOptions(fs), clock);
  EXPECT_TRUE(store.ok());
  fs.SetFault([&operations, fails_at](Operation, const std::string&) {
    return ++operations < fails_at ? Status() : Unavailable("the disk is gone");
  });
  Live(**store, clock, model);
  store->reset();
  fs.SetFault(nullptr);
  return operations;
}

// Returns whether the disk failed before the life was over.
bool LiveAndCrash(uint64_t fails_at, uint32_t seed) {
  MemoryFileSystem fs;
  ManualClock clock;
  Model model;
  const uint64_t operations = LiveUntil(fails_at, fs, clock, model);
  fs.Crash(seed);
  for (int restart = 0; restart < 2; ++restart) {
    Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(StoreOptions(fs), clock);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    if (!store.ok()) return false;
    Check(**store, model);
    // It works on, and does not trip over what the crash left.
    Status written = Write(**store, {BlockOf(1000 + static_cast<block::BlockId>(restart))});
    EXPECT_TRUE(written.ok()) << written.ToString();
    model.acknowledged.insert(1000 + static_cast<block::BlockId>(restart));
  }
  return operations >= fails_at;
}

TEST(ReplicaCrashTest, LosesNothingAcknowledgedWhereverThePowerGoes) {
  for (uint32_t seed = 0; seed < kSeeds && !HasFailure(); ++seed) {
    uint64_t fails_at = 1;
    while (LiveAndCrash(fails_at, seed * 10'000 + static_cast<uint32_t>(fails_at)) &&
           !HasFailure()) {
      ++fails_at;
    }
    EXPECT_GT(fails_at, 200u);
  }
}

// A killed process leaves behind what the kernel has and the disk may not. What the next one finds
// it reports to the master, so from then on a power cut must not take it away either.
TEST(ReplicaCrashTest, WhatARestartReportsIsDurable) {
  for (uint32_t fails_at = 1; fails_at < 250 && !HasFailure(); ++fails_at) {
    MemoryFileSystem fs;
    ManualClock clock;
    Model model;
    LiveUntil(fails_at, fs, clock, model);
    {
      Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(StoreOptions(fs), clock);
      ASSERT_TRUE(store.ok());
      Check(**store, model);
      for (block::BlockId id : Ids(**store))
        model.acknowledged.insert(id);
    }
    fs.Crash(fails_at);
    Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(StoreOptions(fs), clock);
    ASSERT_TRUE(store.ok());
    Check(**store, model);
  }
}

// The disk fails once and works again: the node lives on with what it acknowledged.
TEST(ReplicaCrashTest, OneFailedOperationCostsOnlyItsOwnStream) {
  for (uint64_t fails_at = 1; fails_at < 400 && !HasFailure(); ++fails_at) {
    MemoryFileSystem fs;
    ManualClock clock;
    Model model;
    uint64_t operations = 0;
    Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(StoreOptions(fs), clock);
    ASSERT_TRUE(store.ok());
    fs.SetFault([&operations, fails_at](Operation operation, const std::string&) {
      if (++operations != fails_at) return Status();
      return operation == Operation::kWrite ? ResourceExhausted("disk full")
                                            : Unavailable("input/output error");
    });
    Live(**store, clock, model);
    fs.SetFault(nullptr);
    for (block::BlockId id : model.acknowledged) {
      Result<std::string> read = ReadAll(**store, id);
      ASSERT_TRUE(read.ok()) << fails_at << ": " << id << ": " << read.status().ToString();
      ASSERT_EQ(*read, BlockOf(id).stored);
    }
    EXPECT_GE(model.acknowledged.size() + model.deleted.size(), 33u) << fails_at;
    store->reset();
    store = ReplicaStore::Open(StoreOptions(fs), clock);
    ASSERT_TRUE(store.ok());
    Check(**store, model);
  }
}

}  // namespace
}  // namespace slipstream::datanode
