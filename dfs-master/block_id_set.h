#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/container/btree_map.h>

#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// A set of block ids, in order. Ids are given one after another, so those of a set lie close
// together: it is kept as bitmaps of 256 ids each, a bit an id where they are dense.
// Threads: none.
class BlockIdSet final {
 public:
  void Insert(BlockId id);
  void Erase(BlockId id);
  void Clear();
  bool Contains(BlockId id) const;
  size_t size() const { return size_; }
  // The ids above `after`, in order, at most `limit`.
  std::vector<BlockId> Above(BlockId after, size_t limit) const;

 private:
  static constexpr size_t kWords = 4;
  static constexpr uint64_t kPageIds = kWords * 64;
  using Page = std::array<uint64_t, kWords>;

  absl::btree_map<uint64_t, Page> pages_;  // by id / kPageIds; none is empty
  size_t size_ = 0;
};

}  // namespace slipstream::dfs::master
