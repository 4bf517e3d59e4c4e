#include "dfs-master/block_id_set.h"

#include <algorithm>
#include <bit>

namespace slipstream::dfs::master {
namespace {

uint64_t BitOf(BlockId id) {
  return uint64_t{1} << (id % 64);
}

}  // namespace

void BlockIdSet::Insert(BlockId id) {
  uint64_t& word = pages_[id / kPageIds][id % kPageIds / 64];
  if ((word & BitOf(id)) != 0) return;
  word |= BitOf(id);
  ++size_;
}

void BlockIdSet::Erase(BlockId id) {
  auto it = pages_.find(id / kPageIds);
  if (it == pages_.end()) return;
  uint64_t& word = it->second[id % kPageIds / 64];
  if ((word & BitOf(id)) == 0) return;
  word &= ~BitOf(id);
  --size_;
  if (word == 0 && it->second == Page{}) pages_.erase(it);
}

void BlockIdSet::Clear() {
  pages_.clear();
  size_ = 0;
}

bool BlockIdSet::Contains(BlockId id) const {
  auto it = pages_.find(id / kPageIds);
  return it != pages_.end() && (it->second[id % kPageIds / 64] & BitOf(id)) != 0;
}

std::vector<BlockId> BlockIdSet::Above(BlockId after, size_t limit) const {
  std::vector<BlockId> ids;
  if (after == ~BlockId{0}) return ids;
  const BlockId first = after + 1;
  for (auto it = pages_.lower_bound(first / kPageIds); it != pages_.end(); ++it) {
    for (size_t i = 0; i < kWords; ++i) {
      const BlockId base = it->first * kPageIds + i * 64;
      if (base + 63 < first) continue;
      uint64_t word = it->second[i];
      if (base < first) word &= ~uint64_t{0} << (first - base);
      for (; word != 0; word &= word - 1) {
        if (ids.size() == limit) return ids;
        ids.push_back(base + static_cast<uint64_t>(std::countr_zero(word)));
      }
    }
  }
  return ids;
}

}  // namespace slipstream::dfs::master
