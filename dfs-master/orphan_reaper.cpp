#include "dfs-master/orphan_reaper.h"

#include <optional>
#include <string>
#include <utility>

#include "dfs-master/codec.h"
#include "dfs-master/records.h"

namespace slipstream::dfs::master {
namespace {

// The first `limit` entries of a range, copied, so that they can be changed.
Result<std::vector<KeyValueStore::Entry>> TakeFirst(const Transaction& txn,
                                                    Table table,
                                                    std::string_view begin,
                                                    std::string_view end,
                                                    size_t limit) {
  std::vector<KeyValueStore::Entry> entries;
  RETURN_IF_ERROR(txn.Scan(table, begin, end, [&](std::string_view key, std::string_view value) {
    if (entries.size() == limit) return false;
    entries.push_back({.key = std::string(key), .value = std::string(value)});
    return true;
  }));
  return entries;
}

}  // namespace

Result<bool> OrphanReaper::Step(Transaction& txn, size_t limit, std::vector<BlockId>& discarded) {
  for (size_t budget = limit; budget > 0;) {
    ASSIGN_OR_RETURN(auto orphans, TakeFirst(txn, Table::kOrphans, "", "", 1));
    if (orphans.empty()) return false;
    Inode orphan;
    RETURN_IF_ERROR(Decode(orphans.front().value, orphan));
    size_t reaped = 0;
    if (orphan.is_directory()) {
      ASSIGN_OR_RETURN(reaped, ReapChildren(txn, orphan.id, budget));
    } else {
      ASSIGN_OR_RETURN(reaped, ReapBlocks(txn, orphan.id, budget, discarded));
    }
    // Less than asked for: nothing is left of it.
    if (reaped < budget) {
      txn.Delete(Table::kOrphans, orphans.front().key);
      ++reaped;
    }
    budget -= std::min(budget, reaped);
  }
  return txn.HasAny(Table::kOrphans, "", "");
}

Result<size_t> OrphanReaper::ReapChildren(Transaction& txn, InodeId directory, size_t limit) {
  ASSIGN_OR_RETURN(
      auto children,
      TakeFirst(txn, Table::kInodes, ChildKey(directory, ""), ChildrenEnd(directory), limit));
  for (auto& [key, value] : children) {
    Inode child;
    RETURN_IF_ERROR(Decode(value, child));
    txn.Delete(Table::kInodes, key);
    txn.Delete(Table::kInodeNames, BigEndian(child.id));
    txn.Put(Table::kOrphans, BigEndian(child.id), std::move(value));
    if (!child.writer.empty()) txn.Delete(Table::kOpenFiles, OpenFileKey(child.writer, child.id));
    ASSIGN_OR_RETURN(Totals * totals, txn.totals());
    if (child.is_directory()) {
      --totals->directories;
    } else {
      --totals->files;
      totals->blocks -= child.block_count;
      totals->raw_bytes -= child.length_bytes;
      totals->stored_bytes -= child.stored_bytes;
    }
  }
  return children.size();
}

Result<size_t> OrphanReaper::ReapBlocks(Transaction& txn,
                                        InodeId file,
                                        size_t limit,
                                        std::vector<BlockId>& discarded) {
  ASSIGN_OR_RETURN(
      auto blocks,
      TakeFirst(txn, Table::kFileBlocks, FileBlockKey(file, 0), FileBlockKey(file + 1, 0), limit));
  for (auto& [key, value] : blocks) {
    FileBlock entry;
    RETURN_IF_ERROR(Decode(value, entry));
    txn.Delete(Table::kFileBlocks, key);
    discarded.push_back(entry.block.id);
  }
  return blocks.size();
}

}  // namespace slipstream::dfs::master
