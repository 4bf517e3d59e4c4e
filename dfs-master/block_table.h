#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include "dfs-master/records.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// BlockTable: blocks and who has them, in little room.
//
// Ids are given one after another, so that live ones lie close together. A page has 256 consecutive
// ids: a bitmap of those that are there, and a record of 20 bytes for each, in order. Up to three
// replicas stand in the record, further ones in a table of their own. What comes out and goes in is
// an Entry, unpacked.
// Threads: none. Memory: 20 bytes a block where ids are dense; about 150 where each is alone in its
// page.
class BlockTable final {
 public:
  struct Replica {
    NodeNumber node = 0;
    bool is_confirmed = false;
    bool is_bad = false;
  };
  using Replicas = absl::InlinedVector<Replica, 4>;

  struct Entry {
    Block block;
    uint8_t replication = 0;  // at most 31
    bool is_committed = false;
    Replicas replicas = {};
  };

  bool Contains(BlockId id) const { return FindRecord(id) != nullptr; }
  std::optional<Entry> Find(BlockId id) const;
  // Inserts the entry, or takes it for the one that is there.
  void Put(const Entry& entry);
  void Erase(BlockId id);
  size_t size() const { return size_; }

  // The ids of a range that are here, in order, at most `limit`.
  std::vector<BlockId> IdsIn(BlockIdRange range, size_t limit) const;
  // Calls fn(const Entry&) for all blocks with a replica on `node`, in order. It may Put the entry
  // it was given, changed, and nothing else.
  template <class Fn>
  void ForEachOn(NodeNumber node, Fn fn) const {
    (void)ForSomeOn(node, 0, SIZE_MAX, std::move(fn));
  }
  // Likewise, for those from `begin` on: looks at about `limit` blocks, on the node or not. Returns
  // where to go on; nullopt: that was all.
  template <class Fn>
  std::optional<BlockId> ForSomeOn(NodeNumber node, BlockId begin, size_t limit, Fn fn) const {
    size_t looked_at = 0;
    for (auto it = pages_.lower_bound(begin / kPageIds); it != pages_.end(); ++it) {
      const auto& [number, page] = *it;
      if (looked_at >= limit) return number * kPageIds;
      looked_at += page->records.size();
      size_t index = 0;
      for (size_t word = 0; word < kWords; ++word) {
        for (uint64_t bits = page->present[word]; bits != 0; bits &= bits - 1) {
          const Record& record = page->records[index++];
          const BlockId id =
              number * kPageIds + word * 64 + static_cast<uint64_t>(std::countr_zero(bits));
          if (id >= begin && IsOn(id, record, node)) fn(Unpack(id, record));
        }
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kWords = 4;
  static constexpr uint64_t kPageIds = kWords * 64;
  static constexpr size_t kInlineReplicas = 3;

  // Bits from the lowest: replication (5), is committed, has more replicas elsewhere, then for each
  // replica here: is confirmed, is bad. A node of 0 is no replica.
  struct Record {
    uint32_t raw_bytes = 0;
    uint32_t stored_bytes = 0;
    uint32_t crc32c = 0;
    std::array<NodeNumber, kInlineReplicas> nodes{};
    uint16_t bits = 0;
  };
  static_assert(sizeof(Record) == 20);

  struct Page {
    // Where the record of an id is, or would be.
    size_t IndexOf(BlockId id) const;
    bool Has(BlockId id) const;

    std::array<uint64_t, kWords> present{};
    std::vector<Record> records;
  };

  const Record* FindRecord(BlockId id) const;
  Record& FindOrAddRecord(BlockId id);
  Entry Unpack(BlockId id, const Record& record) const;
  bool IsOn(BlockId id, const Record& record, NodeNumber node) const;

  absl::btree_map<uint64_t, std::unique_ptr<Page>> pages_;  // by id / kPageIds; none is empty
  absl::flat_hash_map<BlockId, Replicas> more_replicas_;
  size_t size_ = 0;
};

}  // namespace slipstream::dfs::master
