#include "dfs-master/share_binder.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/path.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint32_t kFileMode = 0644;
constexpr uint32_t kModeMask = 01777;

Status OwnedByAnother(const Inode& inode, std::string_view writer) {
  return FailedPrecondition("file inode=" + std::to_string(inode.id) +
                            " name=" + log::Quoted(inode.name) + " is being written by " +
                            log::Quoted(writer));
}

// Whether the file belongs to another writer: by commits, or by a candidate that stands.
Status CheckOwnership(const Inode& inode, std::string_view owner) {
  if (!inode.writer.empty() && inode.writer != owner) return OwnedByAnother(inode, inode.writer);
  if (!inode.claimant.empty() && inode.claimant != owner) {
    return OwnedByAnother(inode, inode.claimant);
  }
  return {};
}

// What the share's blocks use in a file of so many replicas.
Usage UsageOf(const PreparedShare& share, uint32_t replication) {
  Usage usage;
  for (const FileBlock& entry : share.blocks) {
    usage.space_bytes += static_cast<int64_t>(entry.block.stored_bytes) * replication;
  }
  return usage;
}

void SetReplication(PreparedShare& share, uint32_t replication) {
  for (FileBlock& entry : share.blocks)
    entry.replication = replication;
}

void DropClaim(Inode& inode) {
  if (inode.claims > 0) --inode.claims;
  if (inode.claims == 0) inode.claimant.clear();
}

}  // namespace

Result<PreparedShare> ShareBinder::Bind(Transaction& txn,
                                        std::string_view owner,
                                        const FileAppend& file,
                                        std::vector<FileBlock> blocks,
                                        const Now& now,
                                        Epoch& epoch) {
  PreparedShare share;
  share.expected_length_bytes = file.expected_length_bytes;
  share.blocks = std::move(blocks);
  share.is_closing = file.is_closing;
  if (file.inode != kNoInode) return BindExisting(txn, owner, file, std::move(share), epoch);
  return BindNew(txn, owner, file, std::move(share), now, epoch);
}

Result<PreparedShare> ShareBinder::BindExisting(Transaction& txn,
                                                std::string_view owner,
                                                const FileAppend& file,
                                                PreparedShare share,
                                                const Epoch& epoch) {
  share.inode = file.inode;
  ASSIGN_OR_RETURN(std::optional<Inode> inode, tree_.FindReachable(txn, file.inode));
  if (!inode.has_value()) {
    share.kind = PreparedShare::Kind::kLost;
    share.blocks.clear();
    return share;
  }
  if (inode->is_directory()) {
    return FailedPrecondition("inode=" + std::to_string(file.inode) + " is a directory");
  }
  RETURN_IF_ERROR(Permissions::CheckWriteInode(*epoch.caller, *inode));
  RETURN_IF_ERROR(CheckOwnership(*inode, owner));
  if (inode->length_bytes != file.expected_length_bytes) {
    return Aborted("file inode=" + std::to_string(file.inode) +
                   " length=" + std::to_string(inode->length_bytes) +
                   " expected_length=" + std::to_string(file.expected_length_bytes));
  }
  inode->claimant = owner;
  ++inode->claims;
  tree_.Update(txn, *inode);
  share.kind = PreparedShare::Kind::kExisting;
  share.name = inode->name;
  SetReplication(share, inode->replication);
  RETURN_IF_ERROR(
      tree_.quotas().Promise(txn, inode->parent, UsageOf(share, inode->replication), share));
  return share;
}

Result<ShareBinder::Place> ShareBinder::FindPlace(Transaction& txn,
                                                  const FileAppend& file,
                                                  const Now& now,
                                                  Epoch& epoch) {
  const std::string_view whole = file.new_path;
  const size_t name_begin = whole.rfind('/') + 1;  // 0: there is none
  const std::string_view folder_path = whole.substr(0, name_begin);
  const bool is_known = !folder_path.empty() && folder_path == epoch.folder_path &&
                        name_begin < whole.size() && whole.size() <= kPathBytesMax;
  if (is_known) {
    ASSIGN_OR_RETURN(Path name, ParsePath(whole.substr(name_begin - 1)));
    return Place{.parent = epoch.folder, .name = std::move(name.front())};
  }
  ASSIGN_OR_RETURN(Path path, ParsePath(whole));
  if (path.empty()) return FailedPrecondition("the root is a directory");
  RETURN_IF_ERROR(permissions_.CheckMake(txn, *epoch.caller, whole));
  const Attributes attributes = Permissions::OwnedBy(
      *epoch.caller, {.owner = file.attributes.owner, .group = file.attributes.group});
  ASSIGN_OR_RETURN(const Inode parent,
                   tree_.MakeDirectories(txn, path, path.size() - 1, attributes, now));
  epoch.folder_path = folder_path;
  epoch.folder = parent.id;
  epoch.folder_group = parent.attributes.group;
  return Place{.parent = parent.id, .name = std::move(path.back())};
}

Result<PreparedShare> ShareBinder::BindNew(Transaction& txn,
                                           std::string_view owner,
                                           const FileAppend& file,
                                           PreparedShare share,
                                           const Now& now,
                                           Epoch& epoch) {
  if (file.expected_length_bytes != 0) {
    return InvalidArgument("a new file's expected length is 0: path=" + log::Quoted(file.new_path));
  }
  if (file.replication > kReplicationMax) {
    return InvalidArgument("a file has at most 16 replicas: replication=" +
                           std::to_string(file.replication));
  }
  RETURN_IF_ERROR(CheckPrincipal(file.attributes.owner));
  RETURN_IF_ERROR(CheckPrincipal(file.attributes.group));
  ASSIGN_OR_RETURN(Place place, FindPlace(txn, file, now, epoch));
  ASSIGN_OR_RETURN(std::optional<Inode> existing, tree_.FindChild(txn, place.parent, place.name));
  if (existing.has_value()) {
    if (!file.is_replacing) return AlreadyExists("exists: path=" + log::Quoted(file.new_path));
    if (existing->is_directory()) {
      return FailedPrecondition("is a directory: path=" + log::Quoted(file.new_path));
    }
    RETURN_IF_ERROR(Permissions::CheckWriteInode(*epoch.caller, *existing));
    RETURN_IF_ERROR(CheckOwnership(*existing, owner));
  }
  share.replication = file.replication == 0 ? tree_.replication() : file.replication;
  SetReplication(share, share.replication);
  Usage usage = UsageOf(share, share.replication);
  usage.names = existing.has_value() ? 0 : 1;
  if (existing.has_value()) {
    // What gives way need not be paid for twice.
    usage.space_bytes = std::max<int64_t>(usage.space_bytes - existing->usage().space_bytes, 0);
  }
  RETURN_IF_ERROR(tree_.quotas().Promise(txn, place.parent, usage, share));
  RETURN_IF_ERROR(tree_.Reserve(txn, place.parent, place.name, owner));
  ASSIGN_OR_RETURN(share.inode, tree_.NewInodeId(txn));
  share.kind = PreparedShare::Kind::kNew;
  share.parent = place.parent;
  share.name = std::move(place.name);
  share.is_replacing = file.is_replacing;
  share.attributes = Permissions::OwnedBy(*epoch.caller, file.attributes);
  if (share.attributes.group.empty()) share.attributes.group = epoch.folder_group;
  return share;
}

Result<bool> ShareBinder::CarryOut(Transaction& txn,
                                   std::string_view owner,
                                   const PreparedShare& share,
                                   const Now& now,
                                   BlockChanges& changes,
                                   Epoch& epoch) {
  RETURN_IF_ERROR(tree_.quotas().EndPromise(txn, share));
  switch (share.kind) {
    case PreparedShare::Kind::kExisting:
      return CarryOutExisting(txn, owner, share, now, changes);
    case PreparedShare::Kind::kNew:
      return CarryOutNew(txn, owner, share, now, changes, epoch);
    case PreparedShare::Kind::kLost:
      return false;
  }
  return DataLoss("unknown kind of share");
}

Result<bool> ShareBinder::CarryOutExisting(Transaction& txn,
                                           std::string_view owner,
                                           const PreparedShare& share,
                                           const Now& now,
                                           BlockChanges& changes) {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, tree_.FindReachable(txn, share.inode));
  if (!inode.has_value()) return false;
  if (inode->length_bytes != share.expected_length_bytes) {
    return DataLoss("file inode=" + std::to_string(share.inode) +
                    " changed while it was claimed: length=" + std::to_string(inode->length_bytes) +
                    " prepared at length=" + std::to_string(share.expected_length_bytes));
  }
  DropClaim(*inode);
  const int64_t space_before = inode->usage().space_bytes;
  RETURN_IF_ERROR(Append(txn, owner, share, now, *inode, changes));
  RETURN_IF_ERROR(tree_.quotas().Charge(txn,
                                        inode->parent,
                                        {.space_bytes = inode->usage().space_bytes - space_before},
                                        QuotaTable::Check::kAllow));
  tree_.Update(txn, *inode);
  return true;
}

Result<bool> ShareBinder::CarryOutNew(Transaction& txn,
                                      std::string_view owner,
                                      const PreparedShare& share,
                                      const Now& now,
                                      BlockChanges& changes,
                                      Epoch& epoch) {
  RETURN_IF_ERROR(tree_.Release(txn, share.parent, share.name));
  if (epoch.parent != share.parent) {
    RETURN_IF_ERROR(Finish(txn, epoch, now));
    ASSIGN_OR_RETURN(std::optional<Inode> parent, tree_.FindReachable(txn, share.parent));
    if (!parent.has_value()) return false;
    epoch.parent = share.parent;
  }
  ASSIGN_OR_RETURN(std::optional<Inode> existing, tree_.FindChild(txn, share.parent, share.name));
  if (existing.has_value()) {
    if (!share.is_replacing || existing->is_directory()) {
      return DataLoss("name=" + log::Quoted(share.name) + " was taken while it was reserved");
    }
    RETURN_IF_ERROR(tree_.CutOff(txn, *existing, now));
  }
  Inode inode;
  inode.id = share.inode;
  inode.parent = share.parent;
  inode.name = share.name;
  // Shares prepared before there was a choice have none.
  inode.replication = share.replication == 0 ? tree_.replication() : share.replication;
  inode.accessed_at_ms = now.wall_ms();
  inode.attributes = share.attributes;
  inode.attributes.mode =
      share.attributes.mode == 0 ? kFileMode : share.attributes.mode & kModeMask;
  RETURN_IF_ERROR(Append(txn, owner, share, now, inode, changes));
  RETURN_IF_ERROR(tree_.InsertAlone(txn, inode, QuotaTable::Check::kAllow));
  ++epoch.children;
  return true;
}

Status ShareBinder::Finish(Transaction& txn, Epoch& epoch, const Now& now) {
  const int64_t children = std::exchange(epoch.children, 0);
  const InodeId parent = std::exchange(epoch.parent, kNoInode);
  return children == 0 ? Status() : tree_.TouchParent(txn, parent, children, now);
}

Status ShareBinder::Append(Transaction& txn,
                           std::string_view owner,
                           const PreparedShare& share,
                           const Now& now,
                           Inode& inode,
                           BlockChanges& changes) {
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  if (!share.blocks.empty()) {
    changes.growths.push_back(
        {.file = inode.id, .offset_bytes = inode.length_bytes, .block_count = share.blocks.size()});
  }
  for (FileBlock entry : share.blocks) {
    if (entry.replication != inode.replication) {
      // The file's was changed after the share was prepared.
      entry.replication = inode.replication;
      changes.replications.push_back(
          {.id = entry.block.id, .replication = static_cast<uint8_t>(inode.replication)});
    }
    txn.Put(Table::kFileBlocks, FileBlockKey(inode.id, inode.length_bytes), Encode(entry));
    inode.length_bytes += entry.block.raw_bytes;
    inode.stored_bytes += entry.block.stored_bytes;
    ++inode.block_count;
    ++totals->blocks;
    totals->raw_bytes += entry.block.raw_bytes;
    totals->stored_bytes += entry.block.stored_bytes;
  }
  inode.modified_at_ms = now.wall_ms();
  if (share.is_closing) {
    if (!inode.writer.empty()) txn.Delete(Table::kOpenFiles, OpenFileKey(owner, inode.id));
    inode.writer.clear();
  } else if (inode.writer != owner) {
    inode.writer = owner;
    txn.Put(Table::kOpenFiles, OpenFileKey(owner, inode.id), "");
  }
  return {};
}

Status ShareBinder::LetGo(Transaction& txn, const PreparedShare& share) {
  RETURN_IF_ERROR(tree_.quotas().EndPromise(txn, share));
  if (share.kind == PreparedShare::Kind::kNew) return tree_.Release(txn, share.parent, share.name);
  if (share.kind == PreparedShare::Kind::kLost) return {};
  ASSIGN_OR_RETURN(std::optional<Inode> inode, tree_.FindReachable(txn, share.inode));
  if (!inode.has_value()) return {};
  DropClaim(*inode);
  tree_.Update(txn, *inode);
  return {};
}

Status ShareBinder::Disown(Transaction& txn, InodeId id) {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, tree_.FindReachable(txn, id));
  if (!inode.has_value()) return {};
  inode->writer.clear();
  tree_.Update(txn, *inode);
  return {};
}

}  // namespace slipstream::dfs::master
