#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/caller.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/path.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// Permissions: whether a caller may do to a path what he asks, by owners, groups and modes, with
// the rules and the words of HDFS. Of the three classes of a mode the first that fits counts: the
// owner's, the group's, the others'. Whoever looks below a directory needs the right to search it
// (x); a superuser needs none.
//
// What is different: a directory is deleted as a whole, as it is renamed, by whoever may take its
// name away; what lies in it is not looked at.
//
// A path that is not there, or is none, is let through: what is asked says so itself.
// Threads   none; under the master's lock. No state of its own.
// Errors    kPermissionDenied, and those of the store.
class Permissions final {
 public:
  // `tree` is borrowed.
  explicit Permissions(const NamespaceTree& tree) : tree_(tree) {}

  // To ask for its status: to search every directory above it.
  Status CheckReach(const Transaction& txn, const Caller& caller, std::string_view path) const;
  // Also to list it: to read and search a directory.
  Status CheckList(const Transaction& txn, const Caller& caller, std::string_view path) const;
  // Also to do to it what `rights` says, as one class of a mode does: 4 read, 2 write, 1 search.
  Status CheckAccess(const Transaction& txn,
                     const Caller& caller,
                     std::string_view path,
                     uint32_t rights) const;
  Status CheckRead(const Transaction& txn, const Caller& caller, std::string_view path) const;
  Status CheckWrite(const Transaction& txn, const Caller& caller, std::string_view path) const;
  // To make it: to write the nearest directory above it that is there.
  Status CheckMake(const Transaction& txn, const Caller& caller, std::string_view path) const;
  // To take its name away: to write its directory, which, if it is sticky, must be his, or the
  // name.
  Status CheckRemove(const Transaction& txn, const Caller& caller, std::string_view path) const;
  // To change its attributes: times are anybody's who may write it, modes its owner's, groups its
  // owner's who is in the new one, owners the superuser's.
  Status CheckChange(const Transaction& txn,
                     const Caller& caller,
                     std::string_view path,
                     const AttributeChange& change) const;

  static Status CheckSuperuser(const Caller& caller);
  // Of an inode found by its number; what leads to it is not looked at.
  static Status CheckListInode(const Caller& caller, const Inode& inode);
  static Status CheckReadInode(const Caller& caller, const Inode& inode);
  static Status CheckWriteInode(const Caller& caller, const Inode& inode);

  // What `caller` makes is his own, and of the group of its directory; a superuser's, as he says.
  static Attributes OwnedBy(const Caller& caller, const Attributes& wanted);

 private:
  // What is there of a path, the root first; the whole path, if there is one more than it has
  // names.
  struct Way {
    Path path;
    std::vector<Inode> inodes;

    bool is_whole() const { return inodes.size() == path.size() + 1; }
  };
  Result<Way> Walk(const Transaction& txn, std::string_view path) const;
  // Walk, and the right to search all that is above the path's end. Without inodes: let through.
  Result<Way> Reach(const Transaction& txn, const Caller& caller, std::string_view path) const;

  const NamespaceTree& tree_;
};

}  // namespace slipstream::dfs::master
