#include "dfs-master/block_table.h"

#include <algorithm>

#include "common/check/check.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint16_t kReplicationMask = 0x1f;
constexpr uint16_t kIsCommitted = 1 << 5;
constexpr uint16_t kHasMore = 1 << 6;

constexpr uint16_t ConfirmedBit(size_t replica) {
  return static_cast<uint16_t>(1U << (7 + 2 * replica));
}
constexpr uint16_t BadBit(size_t replica) {
  return static_cast<uint16_t>(1U << (8 + 2 * replica));
}
constexpr uint64_t BitOf(BlockId id) {
  return uint64_t{1} << (id % 64);
}

}  // namespace

size_t BlockTable::Page::IndexOf(BlockId id) const {
  const size_t word = id % kPageIds / 64;
  int index = std::popcount(present[word] & (BitOf(id) - 1));
  for (size_t i = 0; i < word; ++i)
    index += std::popcount(present[i]);
  return static_cast<size_t>(index);
}

bool BlockTable::Page::Has(BlockId id) const {
  return (present[id % kPageIds / 64] & BitOf(id)) != 0;
}

const BlockTable::Record* BlockTable::FindRecord(BlockId id) const {
  auto it = pages_.find(id / kPageIds);
  if (it == pages_.end() || !it->second->Has(id)) return nullptr;
  return &it->second->records[it->second->IndexOf(id)];
}

BlockTable::Record& BlockTable::FindOrAddRecord(BlockId id) {
  std::unique_ptr<Page>& page = pages_[id / kPageIds];
  if (page == nullptr) page = std::make_unique<Page>();
  const size_t index = page->IndexOf(id);
  if (!page->Has(id)) {
    page->records.insert(page->records.begin() + static_cast<ptrdiff_t>(index), Record{});
    page->present[id % kPageIds / 64] |= BitOf(id);
    ++size_;
  }
  return page->records[index];
}

BlockTable::Entry BlockTable::Unpack(BlockId id, const Record& record) const {
  Entry entry{.block = {.id = id,
                        .raw_bytes = record.raw_bytes,
                        .stored_bytes = record.stored_bytes,
                        .crc32c = record.crc32c},
              .replication = static_cast<uint8_t>(record.bits & kReplicationMask),
              .is_committed = (record.bits & kIsCommitted) != 0};
  for (size_t i = 0; i < kInlineReplicas && record.nodes[i] != 0; ++i) {
    entry.replicas.push_back({.node = record.nodes[i],
                              .is_confirmed = (record.bits & ConfirmedBit(i)) != 0,
                              .is_bad = (record.bits & BadBit(i)) != 0});
  }
  if ((record.bits & kHasMore) != 0) {
    const Replicas& more = more_replicas_.at(id);
    entry.replicas.insert(entry.replicas.end(), more.begin(), more.end());
  }
  return entry;
}

bool BlockTable::IsOn(BlockId id, const Record& record, NodeNumber node) const {
  if (std::find(record.nodes.begin(), record.nodes.end(), node) != record.nodes.end()) return true;
  if ((record.bits & kHasMore) == 0) return false;
  const Replicas& more = more_replicas_.at(id);
  return std::any_of(
      more.begin(), more.end(), [&](const Replica& replica) { return replica.node == node; });
}

std::optional<BlockTable::Entry> BlockTable::Find(BlockId id) const {
  const Record* record = FindRecord(id);
  return record == nullptr ? std::nullopt : std::optional(Unpack(id, *record));
}

void BlockTable::Put(const Entry& entry) {
  SLIPSTREAM_CHECK(entry.replication <= kReplicationMask, "replication={}", entry.replication);
  const BlockId id = entry.block.id;
  Record& record = FindOrAddRecord(id);
  if ((record.bits & kHasMore) != 0) more_replicas_.erase(id);
  record = {.raw_bytes = entry.block.raw_bytes,
            .stored_bytes = entry.block.stored_bytes,
            .crc32c = entry.block.crc32c};
  unsigned bits = entry.replication;
  if (entry.is_committed) bits |= kIsCommitted;
  const size_t inline_count = std::min(entry.replicas.size(), kInlineReplicas);
  for (size_t i = 0; i < inline_count; ++i) {
    const Replica& replica = entry.replicas[i];
    record.nodes[i] = replica.node;
    if (replica.is_confirmed) bits |= ConfirmedBit(i);
    if (replica.is_bad) bits |= BadBit(i);
  }
  if (entry.replicas.size() > inline_count) {
    bits |= kHasMore;
    more_replicas_[id].assign(entry.replicas.begin() + inline_count, entry.replicas.end());
  }
  record.bits = static_cast<uint16_t>(bits);
}

void BlockTable::Erase(BlockId id) {
  auto it = pages_.find(id / kPageIds);
  if (it == pages_.end() || !it->second->Has(id)) return;
  Page& page = *it->second;
  more_replicas_.erase(id);
  page.records.erase(page.records.begin() + static_cast<ptrdiff_t>(page.IndexOf(id)));
  page.present[id % kPageIds / 64] &= ~BitOf(id);
  --size_;
  if (page.records.empty()) {
    pages_.erase(it);
  } else if (page.records.size() * 4 < page.records.capacity()) {
    page.records.shrink_to_fit();
  }
}

std::vector<BlockId> BlockTable::IdsIn(BlockIdRange range, size_t limit) const {
  std::vector<BlockId> ids;
  for (auto it = pages_.lower_bound(range.first / kPageIds);
       it != pages_.end() && it->first * kPageIds < range.end();
       ++it) {
    const BlockId base = it->first * kPageIds;
    for (BlockId id = std::max(base, range.first); id < std::min(base + kPageIds, range.end());
         ++id) {
      if (!it->second->Has(id)) continue;
      if (ids.size() == limit) return ids;
      ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace slipstream::dfs::master
