#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/block_map.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/records.h"

namespace slipstream::dfs::master {

// BlockLoader: reads the blocks a store holds into the block map, beside other work.
//
// What is prepared is read at once, so that Commit finds it. What is committed is read from a
// snapshot, in batches: requests may change the store and the map meanwhile, and what they changed
// wins. Until the last batch is in, a block that the map does not have may yet come.
// Ownership   borrows the map.
// Threads     Read by one thread at a time, without the master's lock; all else under it.
// Errors      kDataLoss (damage), kUnavailable (disk).
class BlockLoader final {
 public:
  struct Batch {
    std::vector<FileBlock> blocks;
    bool is_last = false;
  };

  explicit BlockLoader(BlockMap& blocks) : blocks_(blocks) {}

  // Called once, before the store changes.
  Status Begin(const KeyValueStore& store);
  // The next `limit` committed blocks.
  Result<Batch> Read(size_t limit);
  // Puts what was read into the map; with the last batch the loading ends.
  void Take(const Batch& batch);

  bool is_loading() const { return snapshot_ != nullptr; }
  uint64_t loaded_blocks() const { return loaded_blocks_; }

 private:
  BlockMap& blocks_;
  std::unique_ptr<KeyValueView> snapshot_;
  std::string next_key_;
  uint64_t loaded_blocks_ = 0;
};

}  // namespace slipstream::dfs::master
