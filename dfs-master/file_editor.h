#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/appends.h"
#include "dfs-master/merge_finder.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

// FileEditor: what may be done to files besides appending to them. Blocks never change: a file is a
// list of blocks, of which the last bytes may be cut, and only the list is edited.
//
// A file that somebody writes, or has something prepared for, is not cut and not joined.
// Threads     none; under the master's lock. The state is all in the store.
// Time        in the number of blocks concerned, of which one call takes at most a million.
// Errors      those of NamespaceTree; kFailedPrecondition (a directory, being written),
//             kInvalidArgument.
class FileEditor final {
 public:
  // `tree` is borrowed.
  explicit FileEditor(NamespaceTree& tree) : tree_(tree) {}

  // How many replicas the file's blocks are to have: 1 to 16.
  Status SetReplication(Transaction& txn,
                        std::string_view path,
                        uint32_t replication,
                        BlockChanges& changes);
  // Cuts a file to its first `length_bytes` bytes, at most those it has. Blocks behind are garbage.
  Status Truncate(Transaction& txn,
                  std::string_view path,
                  uint64_t length_bytes,
                  const Now& now,
                  BlockChanges& changes);
  // Moves the blocks of `sources`, in order, behind those of `target`, whose replication they take
  // on. The sources are gone then.
  Status Concat(Transaction& txn,
                std::string_view target,
                std::span<const std::string> sources,
                const Now& now,
                BlockChanges& changes);
  // Puts one block, of the same bytes, in the place of a run of them, which are garbage then;
  // datanodes let those who located them before read them for a while. The file may be written
  // meanwhile: what is prepared for it goes to its end, which stays where it is, and so does the
  // time it was modified. False, and nothing is changed: the run does not stand there any more.
  Result<bool> Merge(Transaction& txn,
                     const MergeRun& run,
                     FileBlock merged,
                     BlockChanges& changes);

 private:
  Result<Inode> FindFile(const Transaction& txn, std::string_view path) const;
  Result<Inode> FindUnwritten(const Transaction& txn, std::string_view path) const;
  Status Join(
      Transaction& txn, const Inode& source, const Now& now, Inode& target, BlockChanges& changes);

  NamespaceTree& tree_;
};

}  // namespace slipstream::dfs::master
