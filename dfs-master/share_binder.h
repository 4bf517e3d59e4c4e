#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/appends.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/permissions.h"
#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

// ShareBinder: one epoch's share of one file, from promise to fact.
//
// Bind checks everything that could make the commit fail, and from then on nothing can change it:
// the file is claimed (nobody else prepares or changes it), a new file's name is reserved, and the
// share names inodes, so that renames are followed. What a user may still do is delete; then the
// share is dropped at the commit, as if he had deleted just after it.
// Threads: none; under the master's lock. No state of its own but that of one epoch (Epoch).
class ShareBinder final {
 public:
  explicit ShareBinder(NamespaceTree& tree) : tree_(tree), permissions_(tree) {}

  // What the shares of one epoch have in common, so that a batch of files in one directory looks
  // for it, and changes it, once. For one transaction, in which nothing else happens meanwhile:
  // shares make directories and cut off none.
  struct Epoch {
    // Who asks for it to be bound, and may have to be refused (Permissions). Borrowed.
    const Caller* caller = &Caller::Process();
    // Where the last new file was bound: its path up to the last slash.
    std::string folder_path = {};
    InodeId folder = kNoInode;
    std::string folder_group = {};
    // Where the last new file was carried out, and how many there were in a row: Finish counts
    // them.
    InodeId parent = kNoInode;
    int64_t children = 0;
  };

  // Binds `file` for `owner`; `blocks` are the file's, checked by the caller. A share of kind kLost
  // where the file is gone: nothing was bound.
  // Errors: kAborted (not of the expected length), kFailedPrecondition (another writer has the file
  // or the name; not a file), kAlreadyExists, kInvalidArgument (path), kResourceExhausted (quota),
  // kPermissionDenied.
  Result<PreparedShare> Bind(Transaction& txn,
                             std::string_view owner,
                             const FileAppend& file,
                             std::vector<FileBlock> blocks,
                             const Now& now,
                             Epoch& epoch);

  // Makes a bound share visible. False where the file, or the directory of a new one, was deleted
  // meanwhile: then nothing of it is left.
  Result<bool> CarryOut(Transaction& txn,
                        std::string_view owner,
                        const PreparedShare& share,
                        const Now& now,
                        BlockChanges& changes,
                        Epoch& epoch);
  // To be called after the last share.
  Status Finish(Transaction& txn, Epoch& epoch, const Now& now);

  // Gives up the claim or the reservation of a share that is not to be carried out.
  Status LetGo(Transaction& txn, const PreparedShare& share);

  // Ends the writing of a file whose appender is aborted.
  Status Disown(Transaction& txn, InodeId id);

 private:
  Result<PreparedShare> BindExisting(Transaction& txn,
                                     std::string_view owner,
                                     const FileAppend& file,
                                     PreparedShare share,
                                     const Epoch& epoch);
  Result<PreparedShare> BindNew(Transaction& txn,
                                std::string_view owner,
                                const FileAppend& file,
                                PreparedShare share,
                                const Now& now,
                                Epoch& epoch);
  // The directory a new file goes into, made where it is missing, and the file's name.
  struct Place {
    InodeId parent = kNoInode;
    std::string name;
  };
  Result<Place> FindPlace(Transaction& txn, const FileAppend& file, const Now& now, Epoch& epoch);
  Result<bool> CarryOutExisting(Transaction& txn,
                                std::string_view owner,
                                const PreparedShare& share,
                                const Now& now,
                                BlockChanges& changes);
  Result<bool> CarryOutNew(Transaction& txn,
                           std::string_view owner,
                           const PreparedShare& share,
                           const Now& now,
                           BlockChanges& changes,
                           Epoch& epoch);
  Status Append(Transaction& txn,
                std::string_view owner,
                const PreparedShare& share,
                const Now& now,
                Inode& inode,
                BlockChanges& changes);

  NamespaceTree& tree_;
  const Permissions permissions_;
};

}  // namespace slipstream::dfs::master
