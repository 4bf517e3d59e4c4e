#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "common/status/status.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/records.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// Blocks that follow one another in a file, to be merged into one.
struct MergeRun {
  InodeId file = kNoInode;
  uint64_t offset_bytes = 0;  // where in the file the first begins
  std::vector<FileBlock> blocks;

  uint32_t raw_bytes() const;  // at most kBlockRawBytesMax
};

// Which of some small blocks that follow one another are worth merging: [first, second), empty if
// none. At least eight, none of them larger than a quarter of all together: whatever is merged
// again is at least four times as large then, so that a byte is rewritten log4 times, not once for
// each commit.
std::pair<size_t, size_t> ChooseMerge(std::span<const FileBlock> blocks);

// MergeFinder: finds small blocks to merge.
//
// Two ways lead to them. Files that grow by small blocks are noted and looked at soon, from where
// they began to grow. And a cursor goes through the blocks of all files, slowly, for what was there
// before this master started, or was forgotten since.
// A block is small that is smaller than an eighth of a full one; one that is cut is left alone.
//
// Threads     none; under the master's lock. Memory: bounded; what is too much is forgotten.
// Durability  none: all of this is soft.
class MergeFinder final {
 public:
  struct Options {
    size_t blocks_per_step = 2'000;  // looked at, in each of the two ways
    // Passes over all files begin no sooner than this after one another.
    std::chrono::milliseconds pass_interval{600'000};
    // A file that nothing came of is left alone for so long.
    std::chrono::milliseconds rest{60'000};
  };

  // `store` is borrowed.
  MergeFinder(const Options& options, const KeyValueStore& store)
      : options_(options), store_(store) {}

  static bool IsSmall(const FileBlock& block) {
    return block.cut_bytes == 0 && block.block.raw_bytes < kBlockRawBytesMax / 8;
  }

  // So many small blocks stand behind `offset_bytes` of the file that did not stand there before.
  void Grew(InodeId file, uint64_t offset_bytes, size_t small_blocks);
  // The file is looked at again, from `offset_bytes` on.
  void LookAgain(InodeId file, uint64_t offset_bytes);
  // Nothing of the file is found for a while.
  void Rest(InodeId file, const Now& now);

  // Begins a step, which looks at so many blocks and no more.
  void BeginStep(const Now& now);
  // The next run of this step; nullopt: no more for now. It is found again unless its file is given
  // as busy, rests, or has other blocks by then.
  Result<std::optional<MergeRun>> Next(const std::vector<InodeId>& busy, const Now& now);

 private:
  struct Growth {
    uint64_t from_bytes = 0;  // what lies before was looked at
    size_t small_blocks = 0;  // that came since it was looked at
    bool is_queued = false;
  };
  // What looking at a range of the blocks' table gave.
  struct Finding {
    std::optional<MergeRun> run;
    std::string resume_key;  // where to go on
    bool is_at_end = false;
  };

  Result<Finding> Search(std::string_view begin, std::string_view end, size_t& budget) const;
  Result<std::optional<MergeRun>> NextOfGrowing(const std::vector<InodeId>& busy);
  Result<std::optional<MergeRun>> NextOfAll(const std::vector<InodeId>& busy, const Now& now);
  bool IsLeftAlone(InodeId file, const std::vector<InodeId>& busy) const;
  void Queue(InodeId file, Growth& growth);

  const Options options_;
  const KeyValueStore& store_;
  absl::flat_hash_map<InodeId, Growth> growing_;
  std::deque<InodeId> queue_;  // of those growing
  absl::flat_hash_map<InodeId, SteadyTime> resting_until_;
  std::string cursor_;  // of the pass over all
  SteadyTime next_pass_at_{};
  size_t growing_budget_ = 0;
  size_t pass_budget_ = 0;
};

}  // namespace slipstream::dfs::master
