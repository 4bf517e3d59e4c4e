#include "dfs-master/namespace_tree.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint32_t kDirectoryMode = 0755;
constexpr uint32_t kModeMask = 01777;
constexpr uint32_t kSetModeMax = 07777;
constexpr int64_t kTimeMaxMs = 253'402'300'799'999;  // the end of 9999
// Deeper than any path can be; a longer chain of parents is a ring, that is, damage.
constexpr size_t kDepthMax = kPathBytesMax;

// Names that are looked up one after another are fetched so many at a time.
constexpr size_t kFetchedTogether = 32;

// What lies behind the last slash of a path; all of it where there is none.
std::string_view NameIn(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// A reservation's value: the owner and how many of its candidates hold it.
struct Reservation {
  std::string owner;
  uint64_t count = 0;
};

std::string Encode(const Reservation& reservation) {
  Encoder out;
  out.Number(1);
  out.String(reservation.owner);
  out.Number(reservation.count);
  return out.Take();
}

Status Decode(std::string_view bytes, Reservation& reservation) {
  Decoder in(bytes);
  if (in.Number() != 1) return DataLoss("reservation: unknown record version");
  reservation.owner = in.String();
  reservation.count = in.Number();
  return in.Finish("reservation");
}

Result<std::optional<Reservation>> LoadReservation(const Transaction& txn, std::string_view key) {
  ASSIGN_OR_RETURN(std::optional<std::string> bytes, txn.Get(Table::kReservations, key));
  if (!bytes.has_value()) return std::optional<Reservation>();
  Reservation reservation;
  RETURN_IF_ERROR(Decode(*bytes, reservation));
  return std::optional<Reservation>(std::move(reservation));
}

Status NoSuchPath(const Path& path) {
  return NotFound("no such file or directory: " + log::Quoted(ToString(path)));
}

Status NotADirectory(const Path& path) {
  return FailedPrecondition("not a directory: " + log::Quoted(ToString(path)));
}

bool IsBelow(const Path& path, const Path& ancestor) {
  return path.size() > ancestor.size() &&
         std::equal(ancestor.begin(), ancestor.end(), path.begin());
}

Status Count(Transaction& txn, const Inode& inode, bool is_added) {
  ASSIGN_OR_RETURN(Totals * totals, txn.totals());
  uint64_t one = is_added ? 1 : ~uint64_t{0};  // subtracting is adding the complement
  if (inode.is_directory()) {
    totals->directories += one;
    return {};
  }
  totals->files += one;
  if (is_added) return {};
  totals->blocks -= inode.block_count;
  totals->raw_bytes -= inode.length_bytes;
  totals->stored_bytes -= inode.stored_bytes;
  return {};
}

}  // namespace

Status NamespaceTree::MakeRoot(Transaction& txn, const Attributes& attributes, const Now& now) {
  Inode root;
  root.id = kRootInode;
  root.kind = FileKind::kDirectory;
  root.modified_at_ms = now.wall_ms();
  root.attributes = attributes;
  if (root.attributes.mode == 0) root.attributes.mode = kDirectoryMode;
  txn.Put(Table::kInodeNames, BigEndian(root.id), ChildKey(kNoInode, ""));
  Update(txn, root);
  return Count(txn, root, true);
}

FileStatus NamespaceTree::BareStatusOf(const Inode& inode) {
  FileStatus status;
  status.name = inode.name;
  status.id = inode.id;
  status.kind = inode.kind;
  status.length_bytes = inode.length_bytes;
  status.stored_bytes = inode.stored_bytes;
  status.block_count = inode.block_count;
  status.replication = inode.replication;
  status.modified_at_ms = inode.modified_at_ms;
  status.accessed_at_ms = inode.accessed_at_ms;
  status.truncation_count = inode.truncation_count;
  status.owner = inode.attributes.owner;
  status.group = inode.attributes.group;
  status.mode = inode.attributes.mode;
  status.writer = inode.writer.empty() ? inode.claimant : inode.writer;
  status.child_count = inode.child_count;
  return status;
}

Status NamespaceTree::AddQuota(const Transaction& txn, FileStatus& status) const {
  if (status.kind != FileKind::kDirectory) return {};
  ASSIGN_OR_RETURN(std::optional<Quota> quota, quotas_.Find(txn, status.id));
  if (!quota.has_value()) return {};
  status.quota = QuotaStatus{.names_max = quota->names_max,
                             .space_max_bytes = quota->space_max_bytes,
                             .used = quota->used,
                             .is_counting = quota->is_counting};
  status.quota->used += quota->promised;
  return {};
}

Result<FileStatus> NamespaceTree::StatusOf(const Transaction& txn, const Inode& inode) const {
  FileStatus status = BareStatusOf(inode);
  RETURN_IF_ERROR(AddQuota(txn, status));
  return status;
}

Result<FileStatus> NamespaceTree::GetStatus(const Transaction& txn, std::string_view path) const {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  ASSIGN_OR_RETURN(Inode inode, Find(txn, parsed));
  return StatusOf(txn, inode);
}

std::vector<Result<FileStatus>> NamespaceTree::GetStatuses(
    const Transaction& txn, std::span<const std::string> paths) const {
  std::vector<Result<FileStatus>> statuses;
  statuses.reserve(paths.size());
  KnownDirectories known;
  std::vector<InodeId> parents;
  std::vector<std::string> keys;
  while (statuses.size() < paths.size()) {
    const auto together =
        paths.subspan(statuses.size(), std::min(kFetchedTogether, paths.size() - statuses.size()));
    parents.clear();
    keys.clear();
    for (std::string_view path : together) {
      parents.push_back(FindParent(txn, path, known));
      if (parents.back() != kNoInode) keys.push_back(ChildKey(parents.back(), NameIn(path)));
    }
    txn.Prefetch(Table::kInodes, keys);
    for (size_t i = 0; i < together.size(); ++i) {
      statuses.push_back(parents[i] == kNoInode
                             ? GetStatus(txn, together[i])
                             : GetStatusBelow(txn, together[i], parents[i], NameIn(together[i])));
    }
  }
  return statuses;
}

InodeId NamespaceTree::FindParent(const Transaction& txn,
                                  std::string_view path,
                                  KnownDirectories& known) const {
  const size_t name_begin = path.size() - NameIn(path).size();
  if (name_begin == 0 || name_begin == path.size()) return kNoInode;
  auto [it, is_new] = known.try_emplace(absl::string_view(path.data(), name_begin), kNoInode);
  if (is_new) {
    Result<Path> parent = ParsePath(name_begin == 1 ? "/" : path.substr(0, name_begin - 1));
    Result<Inode> found = parent.ok() ? Find(txn, *parent) : parent.status();
    if (found.ok() && found->is_directory()) it->second = found->id;
  }
  return it->second;
}

Result<FileStatus> NamespaceTree::GetStatusBelow(const Transaction& txn,
                                                 std::string_view path,
                                                 InodeId parent,
                                                 std::string_view name) const {
  RETURN_IF_ERROR(CheckName(name, path));
  if (path.size() > kPathBytesMax) return ParsePath(path).status();
  ASSIGN_OR_RETURN(std::optional<Inode> inode, FindChild(txn, parent, name));
  if (!inode.has_value()) return NotFound("no such file or directory: " + log::Quoted(path));
  return StatusOf(txn, *inode);
}

Result<Listing> NamespaceTree::List(const Transaction& txn,
                                    std::string_view path,
                                    std::string_view start_after,
                                    uint32_t limit) const {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  ASSIGN_OR_RETURN(Inode inode, Find(txn, parsed));
  Listing listing;
  if (!inode.is_directory()) {
    if (inode.name > start_after) listing.entries.push_back(BareStatusOf(inode));
    return listing;
  }
  std::string begin = ChildKey(inode.id, start_after);
  if (!start_after.empty()) begin.push_back('\0');
  Status decoded;
  RETURN_IF_ERROR(txn.Scan(Table::kInodes,
                           begin,
                           ChildrenEnd(inode.id),
                           [&](std::string_view key, std::string_view value) {
                             if (listing.entries.size() == limit) {
                               listing.has_more = true;
                               return false;
                             }
                             Inode child;
                             decoded = Decode(value, child);
                             child.name = key.substr(sizeof(InodeId));
                             listing.entries.push_back(BareStatusOf(child));
                             return decoded.ok();
                           }));
  RETURN_IF_ERROR(decoded);
  for (FileStatus& entry : listing.entries)
    RETURN_IF_ERROR(AddQuota(txn, entry));
  return listing;
}

Result<FileStatus> NamespaceTree::MakeDirectory(Transaction& txn,
                                                std::string_view path,
                                                const Attributes& attributes,
                                                bool create_parents,
                                                const Now& now) {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  if (!create_parents) {
    if (parsed.empty()) return AlreadyExists("directory exists: \"/\"");
    ASSIGN_OR_RETURN(Inode parent, Find(txn, Path(parsed.begin(), parsed.end() - 1)));
    if (!parent.is_directory()) return NotADirectory(parsed);
    ASSIGN_OR_RETURN(std::optional<Inode> existing, FindChild(txn, parent.id, parsed.back()));
    if (existing.has_value()) return AlreadyExists("exists: " + log::Quoted(path));
  }
  ASSIGN_OR_RETURN(Inode made, MakeDirectories(txn, parsed, parsed.size(), attributes, now));
  return StatusOf(txn, made);
}

Result<Inode> NamespaceTree::MakeDirectories(Transaction& txn,
                                             const Path& path,
                                             size_t depth,
                                             const Attributes& attributes,
                                             const Now& now) {
  ASSIGN_OR_RETURN(Inode directory, Find(txn, Path()));
  for (size_t i = 0; i < depth; ++i) {
    ASSIGN_OR_RETURN(std::optional<Inode> existing, FindChild(txn, directory.id, path[i]));
    if (existing.has_value()) {
      if (!existing->is_directory()) {
        return NotADirectory(Path(path.begin(), path.begin() + static_cast<ptrdiff_t>(i) + 1));
      }
      directory = std::move(*existing);
      continue;
    }
    RETURN_IF_ERROR(CheckNotReserved(txn, directory.id, path[i]));
    Inode made;
    ASSIGN_OR_RETURN(made.id, NewInodeId(txn));
    made.parent = directory.id;
    made.name = path[i];
    made.kind = FileKind::kDirectory;
    made.modified_at_ms = now.wall_ms();
    made.attributes = attributes;
    made.attributes.mode = attributes.mode == 0 ? kDirectoryMode : attributes.mode & kModeMask;
    if (attributes.group.empty()) made.attributes.group = directory.attributes.group;
    RETURN_IF_ERROR(Insert(txn, made, now, Check::kRefuse));
    directory = std::move(made);
  }
  return directory;
}

Status NamespaceTree::Delete(Transaction& txn,
                             std::string_view path,
                             bool is_recursive,
                             const Now& now) {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  if (parsed.empty()) return FailedPrecondition("the root cannot be deleted");
  ASSIGN_OR_RETURN(Inode inode, Find(txn, parsed));
  if (inode.is_directory() && !is_recursive) RETURN_IF_ERROR(CheckEmpty(txn, inode));
  return CutOff(txn, inode, now);
}

Status NamespaceTree::Rename(Transaction& txn,
                             std::string_view source,
                             std::string_view target,
                             bool replace,
                             const Now& now) {
  ASSIGN_OR_RETURN(Path from, ParsePath(source));
  ASSIGN_OR_RETURN(Path to, ParsePath(target));
  if (from.empty() || to.empty()) return FailedPrecondition("the root cannot be renamed");
  ASSIGN_OR_RETURN(Inode inode, Find(txn, from));
  if (from == to) {
    return AlreadyExists("source and target are the same: " + log::Quoted(target));
  }
  if (IsBelow(to, from)) {
    return FailedPrecondition("a directory cannot be moved into itself: " + log::Quoted(target));
  }
  ASSIGN_OR_RETURN(Inode parent, Find(txn, Path(to.begin(), to.end() - 1)));
  if (!parent.is_directory()) return NotADirectory(to);
  RETURN_IF_ERROR(CheckNotReserved(txn, parent.id, to.back()));
  ASSIGN_OR_RETURN(std::optional<Inode> existing, FindChild(txn, parent.id, to.back()));
  if (existing.has_value()) RETURN_IF_ERROR(ClearTarget(txn, inode, *existing, replace, now));

  RETURN_IF_ERROR(quotas_.Move(txn, inode, inode.parent, parent.id, Check::kRefuse));
  // Clearing the target may have changed the parent's record, which TouchParent reads anew.
  txn.Delete(Table::kInodes, ChildKey(inode.parent, inode.name));
  RETURN_IF_ERROR(TouchParent(txn, inode.parent, -1, now));
  inode.parent = parent.id;
  inode.name = to.back();
  txn.Put(Table::kInodeNames, BigEndian(inode.id), ChildKey(inode.parent, inode.name));
  Update(txn, inode);
  return TouchParent(txn, inode.parent, +1, now);
}

Result<FileStatus> NamespaceTree::SetAttributes(Transaction& txn,
                                                std::string_view path,
                                                const AttributeChange& change) {
  for (const auto& name : {change.owner, change.group})
    RETURN_IF_ERROR(CheckPrincipal(name.value_or("")));
  if (change.mode.value_or(0) > kSetModeMax) return InvalidArgument("a mode is at most 07777");
  for (std::optional<int64_t> time : {change.modified_at_ms, change.accessed_at_ms}) {
    if (time.value_or(0) < 0 || time.value_or(0) > kTimeMaxMs) {
      return InvalidArgument("a time lies between 1970 and 9999");
    }
  }
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  ASSIGN_OR_RETURN(Inode inode, Find(txn, parsed));
  inode.attributes.owner = change.owner.value_or(inode.attributes.owner);
  inode.attributes.group = change.group.value_or(inode.attributes.group);
  inode.attributes.mode = change.mode.value_or(inode.attributes.mode);
  inode.modified_at_ms = change.modified_at_ms.value_or(inode.modified_at_ms);
  inode.accessed_at_ms = change.accessed_at_ms.value_or(inode.accessed_at_ms);
  Update(txn, inode);
  return StatusOf(txn, inode);
}

Status NamespaceTree::SetQuota(Transaction& txn,
                               std::string_view path,
                               const QuotaTable::Limits& limits) {
  ASSIGN_OR_RETURN(Path parsed, ParsePath(path));
  ASSIGN_OR_RETURN(Inode inode, Find(txn, parsed));
  if (!inode.is_directory()) return NotADirectory(parsed);
  return quotas_.SetLimits(txn, inode.id, limits);
}

Status NamespaceTree::ClearTarget(
    Transaction& txn, const Inode& source, const Inode& target, bool replace, const Now& now) {
  if (!replace) return AlreadyExists("exists: name=" + log::Quoted(target.name));
  if (source.kind != target.kind) {
    return FailedPrecondition("a file and a directory cannot replace one another: name=" +
                              log::Quoted(target.name));
  }
  if (target.is_directory()) RETURN_IF_ERROR(CheckEmpty(txn, target));
  return CutOff(txn, target, now);
}

Result<Inode> NamespaceTree::Find(const Transaction& txn, const Path& path) const {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, FindChild(txn, kNoInode, ""));
  if (!inode.has_value()) return DataLoss("the root directory is missing");
  for (const std::string& name : path) {
    if (!inode->is_directory()) return NotADirectory(path);
    ASSIGN_OR_RETURN(inode, FindChild(txn, inode->id, name));
    if (!inode.has_value()) return NoSuchPath(path);
  }
  return std::move(*inode);
}

Result<std::optional<Inode>> NamespaceTree::FindChild(const Transaction& txn,
                                                      InodeId parent,
                                                      std::string_view name) const {
  ASSIGN_OR_RETURN(std::optional<Inode> inode,
                   txn.Load<Inode>(Table::kInodes, ChildKey(parent, name)));
  if (inode.has_value()) {
    inode->parent = parent;
    inode->name = name;
  }
  return inode;
}

Result<std::optional<Inode>> NamespaceTree::FindById(const Transaction& txn, InodeId id) const {
  ASSIGN_OR_RETURN(std::optional<std::string> key, txn.Get(Table::kInodeNames, BigEndian(id)));
  if (!key.has_value()) return std::optional<Inode>();
  if (key->size() < sizeof(InodeId)) return DataLoss("inode name: record is cut short");
  ASSIGN_OR_RETURN(std::optional<Inode> inode,
                   FindChild(txn, ReadBigEndian(*key), key->substr(sizeof(InodeId))));
  if (!inode.has_value() || inode->id != id) {
    return DataLoss("inode=" + std::to_string(id) + " is not where its name says");
  }
  return inode;
}

Result<std::optional<Inode>> NamespaceTree::FindReachable(const Transaction& txn,
                                                          InodeId id) const {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, FindById(txn, id));
  if (!inode.has_value()) return inode;
  InodeId ancestor = inode->parent;
  for (size_t depth = 0; ancestor != kNoInode; ++depth) {
    if (depth > kDepthMax) return DataLoss("inode=" + std::to_string(id) + " has no root");
    ASSIGN_OR_RETURN(std::optional<std::string> key,
                     txn.Get(Table::kInodeNames, BigEndian(ancestor)));
    if (!key.has_value()) return std::optional<Inode>();
    ancestor = ReadBigEndian(*key);
  }
  return inode;
}

Status NamespaceTree::Insert(Transaction& txn, const Inode& inode, const Now& now, Check check) {
  RETURN_IF_ERROR(InsertAlone(txn, inode, check));
  return TouchParent(txn, inode.parent, +1, now);
}

Status NamespaceTree::InsertAlone(Transaction& txn, const Inode& inode, Check check) {
  RETURN_IF_ERROR(quotas_.Move(txn, inode, kNoInode, inode.parent, check));
  txn.Put(Table::kInodeNames, BigEndian(inode.id), ChildKey(inode.parent, inode.name));
  Update(txn, inode);
  return Count(txn, inode, true);
}

void NamespaceTree::Update(Transaction& txn, const Inode& inode) const {
  txn.Put(Table::kInodes, ChildKey(inode.parent, inode.name), master::Encode(inode));
}

Status NamespaceTree::CutOff(Transaction& txn, const Inode& inode, const Now& now) {
  RETURN_IF_ERROR(quotas_.Move(txn, inode, inode.parent, kNoInode, Check::kAllow));
  if (inode.is_directory()) quotas_.Erase(txn, inode.id);
  txn.Delete(Table::kInodes, ChildKey(inode.parent, inode.name));
  txn.Delete(Table::kInodeNames, BigEndian(inode.id));
  txn.Put(Table::kOrphans, BigEndian(inode.id), master::Encode(inode));
  txn.AddOrphan(inode.id);
  if (!inode.writer.empty()) txn.Delete(Table::kOpenFiles, OpenFileKey(inode.writer, inode.id));
  RETURN_IF_ERROR(Count(txn, inode, false));
  return TouchParent(txn, inode.parent, -1, now);
}

Status NamespaceTree::TouchParent(Transaction& txn,
                                  InodeId parent,
                                  int64_t child_change,
                                  const Now& now) const {
  ASSIGN_OR_RETURN(std::optional<Inode> inode, FindById(txn, parent));
  // The parent may itself be cut off already: the reaper comes top down.
  if (!inode.has_value()) return {};
  inode->child_count += static_cast<uint64_t>(child_change);
  inode->modified_at_ms = now.wall_ms();
  Update(txn, *inode);
  return {};
}

Result<std::string> NamespaceTree::ReservedFor(const Transaction& txn,
                                               InodeId parent,
                                               std::string_view name) const {
  ASSIGN_OR_RETURN(std::optional<Reservation> reservation,
                   LoadReservation(txn, ChildKey(parent, name)));
  return reservation.has_value() ? std::move(reservation->owner) : std::string();
}

Status NamespaceTree::Reserve(Transaction& txn,
                              InodeId parent,
                              std::string_view name,
                              std::string_view owner) {
  const std::string key = ChildKey(parent, name);
  ASSIGN_OR_RETURN(std::optional<Reservation> existing, LoadReservation(txn, key));
  Reservation reservation = existing.value_or(Reservation{.owner = std::string(owner)});
  if (reservation.owner != owner) return CheckNotReserved(txn, parent, name);
  ++reservation.count;
  if (existing.has_value()) {
    txn.Put(Table::kReservations, key, Encode(reservation));
  } else {
    txn.PutNew(Table::kReservations, key, Encode(reservation));
  }
  return {};
}

Status NamespaceTree::Release(Transaction& txn, InodeId parent, std::string_view name) {
  const std::string key = ChildKey(parent, name);
  ASSIGN_OR_RETURN(std::optional<Reservation> reservation, LoadReservation(txn, key));
  if (!reservation.has_value()) return {};
  if (--reservation->count == 0) {
    txn.Delete(Table::kReservations, key);
  } else {
    txn.Put(Table::kReservations, key, Encode(*reservation));
  }
  return {};
}

Status NamespaceTree::CheckNotReserved(const Transaction& txn,
                                       InodeId parent,
                                       std::string_view name) const {
  ASSIGN_OR_RETURN(std::string owner, ReservedFor(txn, parent, name));
  if (owner.empty()) return {};
  return FailedPrecondition("name=" + log::Quoted(name) + " is reserved for a file prepared by " +
                            log::Quoted(owner));
}

Status NamespaceTree::CheckEmpty(const Transaction& txn, const Inode& directory) const {
  ASSIGN_OR_RETURN(
      bool has_reservation,
      txn.HasAny(Table::kReservations, ChildKey(directory.id, ""), ChildrenEnd(directory.id)));
  if (directory.child_count == 0 && !has_reservation) return {};
  return FailedPrecondition("directory is not empty: name=" + log::Quoted(directory.name));
}

}  // namespace slipstream::dfs::master
