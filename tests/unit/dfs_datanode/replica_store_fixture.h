#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {

// ReplicaStoreFixture: a store on one disk in memory, whose files a test can look into and change.
class ReplicaStoreFixture : public testing::Test {
 protected:
  ReplicaStoreFixture() { Reopen(); }

  void Reopen() {
    store_.reset();
    Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(options_, clock_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(*store);
  }

  std::vector<std::pair<ReplicaChange::Kind, block::BlockId>> Changes() const {
    std::vector<std::pair<ReplicaChange::Kind, block::BlockId>> changes;
    for (const ReplicaChange& change : store_->PendingChanges(1000)) {
      changes.emplace_back(change.kind, change.identity.block_id);
    }
    return changes;
  }

  std::vector<std::string> PathsWith(const std::string& part) const {
    std::vector<std::string> paths;
    for (const std::string& path : fs_.Paths()) {
      if (path.find(part) != std::string::npos) paths.push_back(path);
    }
    return paths;
  }
  std::vector<std::string> Packs() const { return PathsWith("/packs/"); }
  // What was put in quarantine last of a block, by its file's suffix.
  std::string Quarantined(block::BlockId id, const std::string& suffix) const {
    const std::vector<std::string> paths = PathsWith("-" + block::BlockFileName(id) + suffix);
    return paths.empty() ? std::string() : fs_.Content(paths.back());
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  ReplicaStore::Options options_ = StoreOptions(fs_);
  std::unique_ptr<ReplicaStore> store_;
};

}  // namespace slipstream::datanode
