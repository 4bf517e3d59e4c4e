#include "dfs-master/block_ledger.h"

#include <algorithm>
#include <utility>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint64_t kIdsPerRange = 10'000;

}  // namespace

BlockLedger::BlockLedger(const Options& options)
    : options_(options), ids_(kMetaBlockIdEnd, 1, kIdsPerRange) {}

Status BlockLedger::Load(const KeyValueStore& store, const Now& now) {
  RETURN_IF_ERROR(ids_.Load(store));
  if (ids_.next() > 1) {
    pending_[1] = {.count = ids_.next() - 1, .writer = "", .allocated_at = now.steady};
  }
  Status damage;
  RETURN_IF_ERROR(
      store.Scan(Table::kCollected, "", "", [&](std::string_view key, std::string_view value) {
        if (key.size() != sizeof(BlockId) || value.size() != sizeof(BlockId)) {
          damage = DataLoss("collected ids: record of a wrong size");
          return false;
        }
        collected_.Add(ReadBigEndian(key), ReadBigEndian(value));
        return true;
      }));
  return damage;
}

Result<BlockIdRange> BlockLedger::Allocate(Transaction& txn,
                                           std::string_view writer,
                                           uint64_t count,
                                           const Now& now) {
  ASSIGN_OR_RETURN(BlockId first, ids_.Allocate(txn, count));
  pending_[first] = {.count = count, .writer = std::string(writer), .allocated_at = now.steady};
  Touch(writer, now);
  return BlockIdRange{.first = first, .count = count};
}

void BlockLedger::RaiseAbove(Transaction& txn, BlockId highest, const Now& now) {
  const BlockId first = ids_.next();
  if (highest < first) return;
  ids_.RaiseTo(txn, highest + 1);
  pending_[first] = {.count = highest + 1 - first, .writer = "", .allocated_at = now.steady};
}

void BlockLedger::RestartGrace(const Now& now) {
  for (auto& [first, allocation] : pending_)
    allocation.allocated_at = now.steady;
}

void BlockLedger::Touch(std::string_view writer, const Now& now) {
  writer_seen_at_.insert_or_assign(std::string(writer), now.steady);
}

void BlockLedger::CollectInterval(Transaction& txn, IntervalSet::Interval interval) {
  IntervalSet::Change change = collected_.Add(interval.first, interval.last);
  for (uint64_t first : change.removed)
    txn.Delete(Table::kCollected, BigEndian(first));
  txn.Put(Table::kCollected, BigEndian(change.added.first), BigEndian(change.added.last));
}

void BlockLedger::Collect(Transaction& txn, std::span<const BlockId> ids) {
  std::vector<BlockId> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size();) {
    size_t end = i + 1;
    while (end < sorted.size() && sorted[end] <= sorted[end - 1] + 1)
      ++end;
    CollectInterval(txn, {.first = sorted[i], .last = sorted[end - 1]});
    i = end;
  }
}

BlockLedger::Slice BlockLedger::PendingOf(BlockIdRange range,
                                          const LiveIds& live_ids,
                                          size_t live_ids_max) const {
  Slice slice;
  BlockId begin = range.first;
  auto take_until = [&](BlockId end) {
    if (begin >= end) return;
    for (const auto& gap : collected_.Gaps(begin, end - 1))
      slice.pending.push_back(gap);
  };
  const std::vector<BlockId> live = live_ids(range, live_ids_max);
  for (BlockId id : live) {
    take_until(id);
    begin = id + 1;
  }
  slice.live_ids = live.size();
  slice.end = live.size() < live_ids_max ? range.end() : begin;
  take_until(slice.end);
  return slice;
}

BlockLedger::Pending::iterator BlockLedger::Shrink(Pending::iterator allocation, BlockId end) {
  const uint64_t gone = end - allocation->first;
  if (gone == allocation->second.count) return pending_.erase(allocation);
  auto node = pending_.extract(allocation);
  node.key() = end;
  node.mapped().count -= gone;
  return pending_.insert(std::move(node)).position;
}

uint64_t BlockLedger::CollectExpired(Transaction& txn,
                                     const LiveIds& live_ids,
                                     const CollectLimits& limits,
                                     const Now& now) {
  ForgetQuietWriters(now);
  uint64_t collected = 0;
  size_t live_ids_left = limits.live_ids;
  auto it = pending_.begin();
  for (size_t i = 0; i < limits.allocations && it != pending_.end() && live_ids_left > 0; ++i) {
    const Allocation& allocation = it->second;
    if (now.steady - allocation.allocated_at <= options_.grace) break;
    const Slice slice =
        PendingOf({.first = it->first, .count = allocation.count}, live_ids, live_ids_left);
    live_ids_left -= slice.live_ids;
    if (!slice.pending.empty() && writer_seen_at_.contains(allocation.writer)) {
      ++it;
      continue;
    }
    for (const IntervalSet::Interval& interval : slice.pending) {
      collected += interval.last - interval.first + 1;
      CollectInterval(txn, interval);
    }
    it = Shrink(it, slice.end);
  }
  return collected;
}

void BlockLedger::ForgetQuietWriters(const Now& now) {
  std::erase_if(writer_seen_at_,
                [&](const auto& entry) { return now.steady - entry.second > options_.grace; });
}

}  // namespace slipstream::dfs::master
