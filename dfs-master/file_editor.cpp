#include "dfs-master/file_editor.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kConcatSourcesMax = 1'000;
constexpr uint64_t kBlocksMax = 1'000'000;

// A block of a file, and where in the file it begins.
struct PlacedBlock {
  uint64_t offset_bytes = 0;
  FileBlock entry;
};

// The blocks that begin in [begin, end) of the file.
Result<std::vector<PlacedBlock>> LoadBlocks(const Transaction& txn,
                                            InodeId file,
                                            uint64_t begin_bytes,
                                            uint64_t end_bytes) {
  std::vector<PlacedBlock> blocks;
  Status damage;
  RETURN_IF_ERROR(txn.Scan(Table::kFileBlocks,
                           FileBlockKey(file, begin_bytes),
                           FileBlockKey(file, end_bytes),
                           [&](std::string_view key, std::string_view value) {
                             PlacedBlock block{.offset_bytes = ReadBigEndian(key, sizeof(InodeId))};
                             damage = Decode(value, block.entry);
                             blocks.push_back(std::move(block));
                             return damage.ok();
                           }));
  RETURN_IF_ERROR(damage);
  return blocks;
}

Status CheckBlockCount(uint64_t count) {
  if (count <= kBlocksMax) return {};
  return FailedPrecondition("too many blocks for one call: blocks=" + std::to_string(count) +
                            " most=" + std::to_string(kBlocksMax));
}

int64_t SpaceOf(const Inode& inode) {
  return inode.usage().space_bytes;
}

}  // namespace

Result<Inode> FileEditor::FindFile(const Transaction& txn, std::string_view path) const {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  ASSIGN_OR_RETURN(Inode inode, tree_.Find(txn, parsed));
  if (inode.is_directory()) return FailedPrecondition("is a directory: " + log::Quoted(path));
  return inode;
}

Result<Inode> FileEditor::FindUnwritten(const Transaction& txn, std::string_view path) const {
  ASSIGN_OR_RETURN(Inode inode, FindFile(txn, path));
  const std::string& writer = inode.writer.empty() ? inode.claimant : inode.writer;
  if (writer.empty()) return inode;
  return FailedPrecondition("file " + log::Quoted(path) + " is being written by " +
                            log::Quoted(writer));
}

Status FileEditor::SetReplication(Transaction& txn,
                                  std::string_view path,
                                  uint32_t replication,
                                  BlockChanges& changes) {
  ASSIGN_OR_RETURN(Inode inode, FindFile(txn, path));
  if (replication == 0 || replication > kReplicationMax) {
    return InvalidArgument("a file has 1 to 16 replicas: replication=" +
                           std::to_string(replication));
  }
  if (replication == inode.replication) return {};
  RETURN_IF_ERROR(CheckBlockCount(inode.block_count));
  const int64_t space_before = SpaceOf(inode);
  inode.replication = replication;
  RETURN_IF_ERROR(tree_.quotas().Charge(txn,
                                        inode.parent,
                                        {.space_bytes = SpaceOf(inode) - space_before},
                                        QuotaTable::Check::kRefuse));
  ASSIGN_OR_RETURN(std::vector<PlacedBlock> blocks,
                   LoadBlocks(txn, inode.id, 0, inode.length_bytes));
  for (PlacedBlock& block : blocks) {
    block.entry.replication = replication;
    txn.Put(Table::kFileBlocks, FileBlockKey(inode.id, block.offset_bytes), Encode(block.entry));
    changes.replications.push_back(
        {.id = block.entry.block.id, .replication = static_cast<uint8_t>(replication)});
  }
  tree_.Update(txn, inode);
  return {};
}

Status FileEditor::Truncate(Transaction& txn,
                            std::string_view path,
                            uint64_t length_bytes,
                            const Now& now,
                            BlockChanges& changes) {
  ASSIGN_OR_RETURN(Inode inode, FindUnwritten(txn, path));
  if (length_bytes > inode.length_bytes) {
    return InvalidArgument("Cannot truncate to a larger file size. Current size: " +
                           std::to_string(inode.length_bytes) +
                           ", truncate size: " + std::to_string(length_bytes) + ".");
  }
  if (length_bytes == inode.length_bytes) return {};
  RETURN_IF_ERROR(CheckBlockCount(inode.block_count));
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  ASSIGN_OR_RETURN(std::vector<PlacedBlock> behind,
                   LoadBlocks(txn, inode.id, length_bytes, inode.length_bytes));
  const int64_t space_before = SpaceOf(inode);
  uint64_t end_bytes = inode.length_bytes;  // of what is left
  for (const PlacedBlock& block : behind) {
    txn.Delete(Table::kFileBlocks, FileBlockKey(inode.id, block.offset_bytes));
    changes.discarded.push_back(block.entry.block.id);
    end_bytes = std::min(end_bytes, block.offset_bytes);
    inode.stored_bytes -= block.entry.block.stored_bytes;
    totals->stored_bytes -= block.entry.block.stored_bytes;
    --inode.block_count;
    --totals->blocks;
  }
  if (end_bytes > length_bytes) {
    ASSIGN_OR_RETURN(
        auto last,
        txn.FindLast(
            Table::kFileBlocks, FileBlockKey(inode.id, 0), FileBlockKey(inode.id, length_bytes)));
    FileBlock entry;
    if (last.has_value()) RETURN_IF_ERROR(Decode(last->value, entry));
    const uint64_t cut_bytes = end_bytes - length_bytes;
    if (cut_bytes >= entry.length_bytes()) {
      return DataLoss("inode=" + std::to_string(inode.id) + " lacks its blocks");
    }
    entry.cut_bytes += static_cast<uint32_t>(cut_bytes);
    txn.Put(Table::kFileBlocks, std::move(last->key), Encode(entry));
  }
  totals->raw_bytes -= inode.length_bytes - length_bytes;
  inode.length_bytes = length_bytes;
  ++inode.truncation_count;
  inode.modified_at_ms = now.wall_ms();
  tree_.Update(txn, inode);
  return tree_.quotas().Charge(
      txn, inode.parent, {.space_bytes = SpaceOf(inode) - space_before}, QuotaTable::Check::kAllow);
}

Result<bool> FileEditor::Merge(Transaction& txn,
                               const MergeRun& run,
                               FileBlock merged,
                               BlockChanges& changes) {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, tree_.FindReachable(txn, run.file));
  if (!inode.has_value() || inode->is_directory()) return false;
  ASSIGN_OR_RETURN(std::vector<PlacedBlock> present,
                   LoadBlocks(txn, run.file, run.offset_bytes, run.offset_bytes + run.raw_bytes()));
  uint64_t offset_bytes = run.offset_bytes;
  bool is_same = present.size() == run.blocks.size();
  for (size_t i = 0; is_same && i < present.size(); ++i) {
    const FileBlock& entry = present[i].entry;
    is_same = present[i].offset_bytes == offset_bytes && entry.cut_bytes == 0 &&
              entry.block == run.blocks[i].block;
    offset_bytes += entry.block.raw_bytes;
  }
  if (!is_same) return false;
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  const int64_t space_before = SpaceOf(*inode);
  for (const PlacedBlock& block : present) {
    txn.Delete(Table::kFileBlocks, FileBlockKey(run.file, block.offset_bytes));
    changes.discarded.push_back(block.entry.block.id);
    inode->stored_bytes -= block.entry.block.stored_bytes;
    totals->stored_bytes -= block.entry.block.stored_bytes;
    --inode->block_count;
    --totals->blocks;
  }
  merged.replication = inode->replication;
  txn.Put(Table::kFileBlocks, FileBlockKey(run.file, run.offset_bytes), Encode(merged));
  inode->stored_bytes += merged.block.stored_bytes;
  totals->stored_bytes += merged.block.stored_bytes;
  ++inode->block_count;
  ++totals->blocks;
  changes.committed.push_back(merged.block.id);
  changes.prepared.push_back(std::move(merged));
  tree_.Update(txn, *inode);
  RETURN_IF_ERROR(tree_.quotas().Charge(txn,
                                        inode->parent,
                                        {.space_bytes = SpaceOf(*inode) - space_before},
                                        QuotaTable::Check::kAllow));
  return true;
}

Status FileEditor::Concat(Transaction& txn,
                          std::string_view target_path,
                          std::span<const std::string> sources,
                          const Now& now,
                          BlockChanges& changes) {
  if (sources.empty() || sources.size() > kConcatSourcesMax) {
    return InvalidArgument("concat wants 1 to 1000 sources: sources=" +
                           std::to_string(sources.size()));
  }
  ASSIGN_OR_RETURN(Inode target, FindUnwritten(txn, target_path));
  const int64_t space_before = SpaceOf(target);
  uint64_t block_count = 0;
  std::unordered_set<std::string_view> paths;
  for (const std::string& path : sources) {
    if (!paths.insert(path).second) {
      return InvalidArgument("a source is named twice: " + log::Quoted(path));
    }
    ASSIGN_OR_RETURN(Inode source, FindUnwritten(txn, path));
    if (source.id == target.id) {
      return InvalidArgument("the target is among the sources: " + log::Quoted(path));
    }
    block_count += source.block_count;
    RETURN_IF_ERROR(CheckBlockCount(block_count));
    RETURN_IF_ERROR(Join(txn, source, now, target, changes));
  }
  target.modified_at_ms = now.wall_ms();
  tree_.Update(txn, target);
  return tree_.quotas().Charge(txn,
                               target.parent,
                               {.space_bytes = SpaceOf(target) - space_before},
                               QuotaTable::Check::kRefuse);
}

Status FileEditor::Join(
    Transaction& txn, const Inode& source, const Now& now, Inode& target, BlockChanges& changes) {
  ASSIGN_OR_RETURN(std::vector<PlacedBlock> blocks,
                   LoadBlocks(txn, source.id, 0, source.length_bytes));
  for (PlacedBlock& block : blocks) {
    txn.Delete(Table::kFileBlocks, FileBlockKey(source.id, block.offset_bytes));
    if (block.entry.replication != target.replication) {
      block.entry.replication = target.replication;
      changes.replications.push_back(
          {.id = block.entry.block.id, .replication = static_cast<uint8_t>(target.replication)});
    }
    txn.Put(Table::kFileBlocks,
            FileBlockKey(target.id, target.length_bytes + block.offset_bytes),
            Encode(block.entry));
  }
  changes.growths.push_back(
      {.file = target.id, .offset_bytes = target.length_bytes, .block_count = source.block_count});
  target.length_bytes += source.length_bytes;
  target.stored_bytes += source.stored_bytes;
  target.block_count += source.block_count;
  RETURN_IF_ERROR(tree_.CutOff(txn, source, now));

  // What is cut off has nothing any more, and the tree has lost nothing but a name.
  Inode emptied = source;
  emptied.length_bytes = 0;
  emptied.stored_bytes = 0;
  emptied.block_count = 0;
  txn.Put(Table::kOrphans, BigEndian(emptied.id), Encode(emptied));
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  totals->blocks += source.block_count;
  totals->raw_bytes += source.length_bytes;
  totals->stored_bytes += source.stored_bytes;
  return {};
}

}  // namespace slipstream::dfs::master
