#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "common/status/status.h"
#include "dfs-master/id_allocator.h"
#include "dfs-master/path.h"
#include "dfs-master/quota_table.h"
#include "dfs-master/records.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// NamespaceTree: names, and the inodes they stand for.
//
// An inode is kept under (parent inode, name), so that renaming a directory is one write however
// much lies below it, and listing one is one scan. A second table leads from an inode's number to
// its name, so that who holds the number (a writer) follows renames. Deleting cuts an inode off: it
// becomes an orphan, at once and whatever its size, and OrphanReaper takes it apart later. What
// lies below a directory cut off is unreachable, not yet gone: FindReachable tells.
//
// Names of files that are prepared and not committed are *reserved*: nobody else may take them.
// Quotas (quota_table.h) are charged with whatever comes into the tree and goes out of it here, and
// may refuse what users ask, not what was promised to writers.
// Threads     none; under the master's lock. The state is all in the store, none here.
// Errors      kInvalidArgument (path), kNotFound, kAlreadyExists, kFailedPrecondition (not a
//             directory, not empty, reserved), kResourceExhausted (quota), and those of the store.
class NamespaceTree final {
 public:
  using Check = QuotaTable::Check;

  // `inode_ids` and `quotas` are borrowed. `replication` is that of files which name none.
  NamespaceTree(IdAllocator& inode_ids, QuotaTable& quotas, uint32_t replication)
      : inode_ids_(inode_ids), quotas_(quotas), replication_(replication) {}

  // Makes the root directory of a new store.
  Status MakeRoot(Transaction& txn, const Attributes& attributes, const Now& now);

  // ---- What users ask ----

  Result<FileStatus> GetStatus(const Transaction& txn, std::string_view path) const;
  // As many at once; below the same directory they share the way to it.
  std::vector<Result<FileStatus>> GetStatuses(const Transaction& txn,
                                              std::span<const std::string> paths) const;
  // The entries behind `start_after` in bytewise order, at most `limit`; of a file, the file alone.
  Result<Listing> List(const Transaction& txn,
                       std::string_view path,
                       std::string_view start_after,
                       uint32_t limit) const;
  Result<FileStatus> MakeDirectory(Transaction& txn,
                                   std::string_view path,
                                   const Attributes& attributes,
                                   bool create_parents,
                                   const Now& now);
  Status Delete(Transaction& txn, std::string_view path, bool is_recursive, const Now& now);
  // `replace`: an existing file, or an empty directory, at `target` gives way to one of its kind.
  Status Rename(Transaction& txn,
                std::string_view source,
                std::string_view target,
                bool replace,
                const Now& now);
  Result<FileStatus> SetAttributes(Transaction& txn,
                                   std::string_view path,
                                   const AttributeChange& change);
  Status SetQuota(Transaction& txn, std::string_view path, const QuotaTable::Limits& limits);

  // ---- What appenders need ----

  // Resolves a path to its inode. kNotFound; kFailedPrecondition where a parent is a file.
  Result<Inode> Find(const Transaction& txn, const Path& path) const;
  // The child of that name, if there is one.
  Result<std::optional<Inode>> FindChild(const Transaction& txn,
                                         InodeId parent,
                                         std::string_view name) const;
  // The inode of that number, unless it is gone or below a directory that was deleted.
  Result<std::optional<Inode>> FindReachable(const Transaction& txn, InodeId id) const;
  // The directory at path[0, depth), made with its parents where it is missing. Where `attributes`
  // name no group, each is of its parent's.
  Result<Inode> MakeDirectories(Transaction& txn,
                                const Path& path,
                                size_t depth,
                                const Attributes& attributes,
                                const Now& now);
  Result<InodeId> NewInodeId(Transaction& txn) { return inode_ids_.Allocate(txn, 1); }

  // Puts a new inode into its parent, whose times and count follow.
  Status Insert(Transaction& txn, const Inode& inode, const Now& now, Check check);
  // Its two steps, for whoever inserts many into one parent: the inode itself, and what follows for
  // a parent of so many children more.
  Status InsertAlone(Transaction& txn, const Inode& inode, Check check);
  Status TouchParent(Transaction& txn, InodeId parent, int64_t child_change, const Now& now) const;
  // Writes back an inode found before, at its parent and name.
  void Update(Transaction& txn, const Inode& inode) const;
  // Cuts an inode off its parent.
  Status CutOff(Transaction& txn, const Inode& inode, const Now& now);

  // The writer the name is reserved for; empty: none.
  Result<std::string> ReservedFor(const Transaction& txn,
                                  InodeId parent,
                                  std::string_view name) const;
  // Reservations of one writer count; the name is free when all of them are released.
  Status Reserve(Transaction& txn, InodeId parent, std::string_view name, std::string_view owner);
  Status Release(Transaction& txn, InodeId parent, std::string_view name);

  uint32_t replication() const { return replication_; }
  QuotaTable& quotas() const { return quotas_; }
  Result<FileStatus> StatusOf(const Transaction& txn, const Inode& inode) const;

 private:
  static FileStatus BareStatusOf(const Inode& inode);
  // Directories found on the way, by their paths with a slash behind, which are borrowed; kNoInode
  // where none is.
  using KnownDirectories = absl::flat_hash_map<absl::string_view, InodeId>;
  // The directory that the last name of a path is in. kNoInode: look at the whole path, which says
  // what is wrong, or has no such name.
  InodeId FindParent(const Transaction& txn, std::string_view path, KnownDirectories& known) const;
  Result<FileStatus> GetStatusBelow(const Transaction& txn,
                                    std::string_view path,
                                    InodeId parent,
                                    std::string_view name) const;
  Status AddQuota(const Transaction& txn, FileStatus& status) const;
  Status CheckNotReserved(const Transaction& txn, InodeId parent, std::string_view name) const;
  Status CheckEmpty(const Transaction& txn, const Inode& directory) const;
  Status ClearTarget(
      Transaction& txn, const Inode& source, const Inode& target, bool replace, const Now& now);
  Result<std::optional<Inode>> FindById(const Transaction& txn, InodeId id) const;

  IdAllocator& inode_ids_;
  QuotaTable& quotas_;
  const uint32_t replication_;
};

}  // namespace slipstream::dfs::master
