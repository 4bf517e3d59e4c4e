#include "dfs-master/permissions.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace slipstream::dfs::master {
namespace {

// As in a mode.
constexpr uint32_t kSearch = 1;
constexpr uint32_t kWrite = 2;
constexpr uint32_t kRead = 4;
constexpr uint32_t kAll = 7;
constexpr uint32_t kSticky = 01000;

// As HDFS names what was asked for.
constexpr std::array<std::string_view, 8> kNames = {
    "NONE", "EXECUTE", "WRITE", "WRITE_EXECUTE", "READ", "READ_EXECUTE", "READ_WRITE", "ALL"};

// "drwxr-xr-t".
std::string ModeText(const Inode& inode) {
  static constexpr std::string_view kLetters = "xwr";
  std::string text = inode.is_directory() ? "d" : "-";
  for (int bit = 8; bit >= 0; --bit) {
    const bool is_set = (inode.attributes.mode >> static_cast<uint32_t>(bit) & 1U) != 0;
    text += is_set ? kLetters[static_cast<size_t>(bit) % kLetters.size()] : '-';
  }
  if ((inode.attributes.mode & kSticky) != 0) text.back() = text.back() == 'x' ? 't' : 'T';
  return text;
}

// `"/a":owner:group:mode`.
std::string Describe(std::string_view path, const Inode& inode) {
  return fmt::format(
      "\"{}\":{}:{}:{}", path, inode.attributes.owner, inode.attributes.group, ModeText(inode));
}

bool Owns(const Caller& caller, const Inode& inode) {
  return !caller.user.empty() && caller.user == inode.attributes.owner;
}

bool IsIn(const Caller& caller, std::string_view group) {
  return std::find(caller.groups.begin(), caller.groups.end(), group) != caller.groups.end();
}

bool Has(const Caller& caller, const Inode& inode, uint32_t rights) {
  uint32_t of_class = inode.attributes.mode;
  if (Owns(caller, inode)) {
    of_class >>= 6U;
  } else if (IsIn(caller, inode.attributes.group)) {
    of_class >>= 3U;
  }
  return (of_class & rights) == rights;
}

Status Check(const Caller& caller, const Inode& inode, std::string_view path, uint32_t rights) {
  if (caller.is_superuser || Has(caller, inode, rights)) return {};
  return Status(Code::kPermissionDenied,
                fmt::format("Permission denied: user={}, access={}, inode={}",
                            caller.user,
                            kNames[rights & kAll],
                            Describe(path, inode)));
}

Status Refuse(const Caller& caller, std::string_view why, std::string_view path) {
  return Status(Code::kPermissionDenied,
                fmt::format("Permission denied. user={} {} of inode={}", caller.user, why, path));
}

// The first `depth` names of a path.
std::string Prefix(const Path& path, size_t depth) {
  return ToString(Path(path.begin(), path.begin() + static_cast<ptrdiff_t>(depth)));
}

}  // namespace

Result<Permissions::Way> Permissions::Walk(const Transaction& txn, std::string_view path) const {
  Way way;
  Result<Path> parsed = ParsePath(path);
  if (!parsed.ok()) return way;
  way.path = std::move(*parsed);
  ASSIGN_OR_RETURN(Inode root, tree_.Find(txn, Path()));
  way.inodes.push_back(std::move(root));
  for (const std::string& name : way.path) {
    if (!way.inodes.back().is_directory()) break;
    ASSIGN_OR_RETURN(std::optional<Inode> next, tree_.FindChild(txn, way.inodes.back().id, name));
    if (!next.has_value()) break;
    way.inodes.push_back(std::move(*next));
  }
  return way;
}

Result<Permissions::Way> Permissions::Reach(const Transaction& txn,
                                            const Caller& caller,
                                            std::string_view path) const {
  if (caller.is_superuser) return Way();
  ASSIGN_OR_RETURN(Way way, Walk(txn, path));
  const size_t above = std::min(way.inodes.size(), way.path.size());
  for (size_t i = 0; i < above; ++i) {
    if (!way.inodes[i].is_directory()) break;
    RETURN_IF_ERROR(Check(caller, way.inodes[i], Prefix(way.path, i), kSearch));
  }
  return way;
}

Status Permissions::CheckReach(const Transaction& txn,
                               const Caller& caller,
                               std::string_view path) const {
  return Reach(txn, caller, path).status();
}

Status Permissions::CheckAccess(const Transaction& txn,
                                const Caller& caller,
                                std::string_view path,
                                uint32_t rights) const {
  ASSIGN_OR_RETURN(const Way way, Reach(txn, caller, path));
  if (way.inodes.empty() || !way.is_whole()) return {};
  return Check(caller, way.inodes.back(), path, rights & kAll);
}

Status Permissions::CheckRead(const Transaction& txn,
                              const Caller& caller,
                              std::string_view path) const {
  return CheckAccess(txn, caller, path, kRead);
}

Status Permissions::CheckWrite(const Transaction& txn,
                               const Caller& caller,
                               std::string_view path) const {
  return CheckAccess(txn, caller, path, kWrite);
}

Status Permissions::CheckList(const Transaction& txn,
                              const Caller& caller,
                              std::string_view path) const {
  ASSIGN_OR_RETURN(const Way way, Reach(txn, caller, path));
  if (way.inodes.empty() || !way.is_whole() || !way.inodes.back().is_directory()) return {};
  return Check(caller, way.inodes.back(), path, kRead | kSearch);
}

Status Permissions::CheckMake(const Transaction& txn,
                              const Caller& caller,
                              std::string_view path) const {
  ASSIGN_OR_RETURN(Way way, Reach(txn, caller, path));
  if (way.is_whole() && !way.inodes.empty()) way.inodes.pop_back();
  if (way.inodes.empty() || !way.inodes.back().is_directory()) return {};
  return Check(caller, way.inodes.back(), Prefix(way.path, way.inodes.size() - 1), kWrite);
}

Status Permissions::CheckRemove(const Transaction& txn,
                                const Caller& caller,
                                std::string_view path) const {
  ASSIGN_OR_RETURN(const Way way, Reach(txn, caller, path));
  if (way.inodes.size() < 2 || !way.is_whole()) return {};
  const Inode& inode = way.inodes.back();
  const Inode& parent = way.inodes[way.inodes.size() - 2];
  const std::string parent_path = Prefix(way.path, way.path.size() - 1);
  RETURN_IF_ERROR(Check(caller, parent, parent_path, kWrite));
  const bool is_sticky = (parent.attributes.mode & kSticky) != 0;
  if (!is_sticky || Owns(caller, parent) || Owns(caller, inode)) return {};
  return Status(Code::kPermissionDenied,
                fmt::format("Permission denied by sticky bit: user={}, path={}, parent={}",
                            caller.user,
                            Describe(path, inode),
                            Describe(parent_path, parent)));
}

Status Permissions::CheckChange(const Transaction& txn,
                                const Caller& caller,
                                std::string_view path,
                                const AttributeChange& change) const {
  ASSIGN_OR_RETURN(const Way way, Reach(txn, caller, path));
  if (way.inodes.empty() || !way.is_whole()) return {};
  const Inode& inode = way.inodes.back();
  const bool is_owner = Owns(caller, inode);
  const bool is_owners = change.owner.has_value() || change.group.has_value() || change.mode;
  if (is_owners && !is_owner) return Refuse(caller, "is not the owner", path);
  if (change.owner.value_or(inode.attributes.owner) != inode.attributes.owner) {
    return Refuse(caller, "is not a superuser: no change of the owner", path);
  }
  if (change.group.has_value() && *change.group != inode.attributes.group &&
      !IsIn(caller, *change.group)) {
    return Refuse(caller, "does not belong to " + *change.group + ", the new group", path);
  }
  const bool sets_times = change.modified_at_ms.has_value() || change.accessed_at_ms.has_value();
  return sets_times ? Check(caller, inode, path, kWrite) : Status();
}

Status Permissions::CheckSuperuser(const Caller& caller) {
  if (caller.is_superuser) return {};
  return Status(
      Code::kPermissionDenied,
      fmt::format("Access denied for user {}. Superuser privilege is required", caller.user));
}

Status Permissions::CheckListInode(const Caller& caller, const Inode& inode) {
  return Check(caller, inode, inode.name, kRead | kSearch);
}

Status Permissions::CheckReadInode(const Caller& caller, const Inode& inode) {
  return Check(caller, inode, inode.name, kRead);
}

Status Permissions::CheckWriteInode(const Caller& caller, const Inode& inode) {
  return Check(caller, inode, inode.name, kWrite);
}

Attributes Permissions::OwnedBy(const Caller& caller, const Attributes& wanted) {
  if (caller.is_superuser) return wanted;
  return {.owner = caller.user, .group = {}, .mode = wanted.mode};
}

}  // namespace slipstream::dfs::master
