#include "dfs-master/orphan_reaper.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

// Read at once: a level of the walk holds no more in memory.
constexpr size_t kChildrenPerPage = 256;
// A file of more is walked by itself, as a directory is.
constexpr uint32_t kBlocksAtOnceMax = 64;
// Files made one after another have their blocks side by side, and are read in one scan.
constexpr InodeId kGapMax = 8;

// What follows the key in its table.
std::string Behind(std::string key) {
  key.push_back('\0');
  return key;
}

}  // namespace

void OrphanReaper::Add(const std::vector<InodeId>& orphans) {
  orphans_.insert(orphans_.end(), orphans.begin(), orphans.end());
}

Result<bool> OrphanReaper::AddFromTable(size_t limit) {
  size_t added = 0;
  bool is_end = true;
  RETURN_IF_ERROR(store_.Scan(Table::kOrphans, "", "", [&](std::string_view key, std::string_view) {
    is_end = added < limit;
    if (is_end) orphans_.push_back(ReadBigEndian(key));
    ++added;
    return is_end;
  }));
  return is_end;
}

Result<bool> OrphanReaper::Gather(size_t limit) {
  while (gathered() < limit) {
    if (path_.empty()) {
      ASSIGN_OR_RETURN(bool has_begun, BeginNextOrphan());
      if (!has_begun) break;
    }
    RETURN_IF_ERROR(path_.back().entry.inode.is_directory() ? WalkDirectory(limit)
                                                            : WalkFile(limit));
  }
  return HasGathered();
}

Result<bool> OrphanReaper::BeginNextOrphan() {
  while (!orphans_.empty()) {
    Entry entry{.table = Table::kOrphans, .key = BigEndian(orphans_.front()), .inode = {}};
    orphans_.pop_front();
    ASSIGN_OR_RETURN(std::optional<std::string> value, store_.Get(Table::kOrphans, entry.key));
    if (!value.has_value()) continue;
    RETURN_IF_ERROR(Decode(*value, entry.inode));
    Descend(std::move(entry));
    return true;
  }
  return false;
}

void OrphanReaper::Descend(Entry entry) {
  Level level{.entry = std::move(entry), .position = {}, .children = {}};
  const InodeId id = level.entry.inode.id;
  level.position = level.entry.inode.is_directory() ? ChildKey(id, "") : FileBlockKey(id, 0);
  path_.push_back(std::move(level));
}

Status OrphanReaper::WalkDirectory(size_t limit) {
  Level& level = path_.back();
  if (level.child == level.children.size()) {
    if (level.is_read) {
      names_.push_back(std::move(level.entry));
      path_.pop_back();
      return {};
    }
    RETURN_IF_ERROR(ReadChildren(level));
  }
  std::vector<Entry> files;
  std::optional<Entry> deeper;
  size_t room = limit - gathered();
  while (level.child < level.children.size() && room > 0 && !deeper.has_value()) {
    Entry& child = level.children[level.child++];
    const bool is_small =
        !child.inode.is_directory() && child.inode.block_count <= kBlocksAtOnceMax;
    if (is_small) {
      room -= std::min<size_t>(room, 1 + child.inode.block_count);
      files.push_back(std::move(child));
    } else {
      deeper = std::move(child);
    }
  }
  RETURN_IF_ERROR(GatherFiles(std::move(files)));
  if (deeper.has_value()) Descend(std::move(*deeper));
  return {};
}

Status OrphanReaper::ReadChildren(Level& level) const {
  level.children.clear();
  level.child = 0;
  level.is_read = true;
  Status damage;
  auto visit = [&](std::string_view key, std::string_view value) {
    if (level.children.size() == kChildrenPerPage) {
      level.is_read = false;
      return false;
    }
    Entry& child = level.children.emplace_back();
    child.key = key;
    damage = Decode(value, child.inode);
    return damage.ok();
  };
  RETURN_IF_ERROR(
      store_.Scan(Table::kInodes, level.position, ChildrenEnd(level.entry.inode.id), visit));
  RETURN_IF_ERROR(damage);
  if (!level.children.empty()) level.position = Behind(level.children.back().key);
  return {};
}

Status OrphanReaper::GatherFiles(std::vector<Entry> files) {
  std::vector<InodeId> ids;
  for (const Entry& file : files)
    if (file.inode.block_count > 0) ids.push_back(file.inode.id);
  std::sort(ids.begin(), ids.end());
  const std::unordered_set<InodeId> wanted(ids.begin(), ids.end());
  Status damage;
  auto visit = [&](std::string_view key, std::string_view value) {
    if (!wanted.contains(ReadBigEndian(key))) return true;
    FileBlock block;
    damage = Decode(value, block);
    blocks_.push_back({.key = std::string(key), .id = block.block.id});
    return damage.ok();
  };
  for (size_t i = 0; i < ids.size();) {
    size_t end = i + 1;
    while (end < ids.size() && ids[end] - ids[end - 1] <= kGapMax)
      ++end;
    RETURN_IF_ERROR(store_.Scan(
        Table::kFileBlocks, FileBlockKey(ids[i], 0), FileBlockKey(ids[end - 1] + 1, 0), visit));
    RETURN_IF_ERROR(damage);
    i = end;
  }
  std::move(files.begin(), files.end(), std::back_inserter(names_));
  return {};
}

Status OrphanReaper::WalkFile(size_t limit) {
  Level& level = path_.back();
  level.is_read = true;
  Status damage;
  auto visit = [&](std::string_view key, std::string_view value) {
    if (gathered() >= limit) {
      level.is_read = false;
      return false;
    }
    FileBlock block;
    damage = Decode(value, block);
    blocks_.push_back({.key = std::string(key), .id = block.block.id});
    return damage.ok();
  };
  RETURN_IF_ERROR(store_.Scan(
      Table::kFileBlocks, level.position, FileBlockKey(level.entry.inode.id + 1, 0), visit));
  RETURN_IF_ERROR(damage);
  if (!level.is_read) {
    level.position = Behind(blocks_.back().key);
    return {};
  }
  names_.push_back(std::move(level.entry));
  path_.pop_back();
  return {};
}

Status OrphanReaper::TakeApart(Transaction& txn,
                               const QuotaTable& quotas,
                               std::vector<BlockId>& discarded) {
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  for (DoomedBlock& block : blocks_) {
    discarded.push_back(block.id);
    txn.Delete(Table::kFileBlocks, std::move(block.key));
  }
  for (Entry& entry : names_) {
    const Inode& inode = entry.inode;
    txn.Delete(entry.table, std::move(entry.key));
    // The orphan itself was seen to when it was cut off.
    if (entry.table == Table::kOrphans) continue;
    txn.Delete(Table::kInodeNames, BigEndian(inode.id));
    if (!inode.writer.empty()) txn.Delete(Table::kOpenFiles, OpenFileKey(inode.writer, inode.id));
    if (inode.is_directory()) {
      quotas.Erase(txn, inode.id);
      --totals->directories;
      continue;
    }
    --totals->files;
    totals->blocks -= inode.block_count;
    totals->raw_bytes -= inode.length_bytes;
    totals->stored_bytes -= inode.stored_bytes;
  }
  blocks_.clear();
  names_.clear();
  return {};
}

}  // namespace slipstream::dfs::master
