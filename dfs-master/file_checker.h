#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/block_locator.h"
#include "dfs-master/block_map.h"
#include "dfs-master/caller.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

struct CheckRequest {
  std::string path;
  std::string cursor;         // of the answer before; empty: from the beginning
  bool wants_all = false;     // sound files and directories, too
  bool wants_blocks = false;  // sound blocks of the files that are given, too
  uint32_t limit = 0;         // names looked at; 0: 5,000
  BlockId block = 0;          // only the file that has it, and of that only this; 0: all
};

struct CheckedBlock {
  LocatedBlock located;
  uint32_t wanted = 0;
  BlockMap::Tally tally;
  std::vector<ReplicaReport> replicas;
};

struct CheckedFile {
  std::string path;
  FileStatus status;
  uint32_t under_replicated_blocks = 0;
  uint32_t missing_blocks = 0;
  uint32_t corrupt_blocks = 0;  // with a bad replica
  uint64_t missing_bytes = 0;
  std::vector<CheckedBlock> blocks;

  bool is_sound() const {
    return under_replicated_blocks == 0 && missing_blocks == 0 && corrupt_blocks == 0;
  }
};

struct CheckPage {
  std::vector<CheckedFile> files;
  std::string next_cursor;  // empty: that was all
  uint64_t file_count = 0;
  uint64_t directory_count = 0;
  uint64_t closed_directory_count = 0;  // of these: that whoever asks may not list
  uint64_t block_count = 0;
  uint64_t raw_bytes = 0;
  uint64_t under_replicated_blocks = 0;
  uint64_t over_replicated_blocks = 0;
  uint64_t missing_blocks = 0;
  uint64_t corrupt_blocks = 0;
  uint64_t good_replicas = 0;
  uint64_t wanted_replicas = 0;
};

// FileChecker: how the files below a path are doing, a page at a time.
//
// Goes through the tree in the order of its names, a directory before what lies in it. A cursor is
// the path looked at last, so that nothing is kept between pages: what was deleted or renamed
// meanwhile is passed over, what is new behind the cursor is found. A page looks at a bounded
// number of names and of blocks; a file with very many blocks comes in parts, one page after
// another, each with the counts of its part. What lies in a directory that whoever asks may not
// list is not looked at. Threads: none; under the master's lock. Borrows all it is made of.
class FileChecker final {
 public:
  FileChecker(const NamespaceTree& tree, const BlockMap& blocks, const BlockLocator& locator)
      : tree_(tree), blocks_(blocks), locator_(locator) {}

  // That the caller may ask for the path itself is seen to. Errors: those of NamespaceTree::Find;
  // kInvalidArgument (a cursor of another path).
  Result<CheckPage> Check(const Transaction& txn,
                          const Caller& caller,
                          const CheckRequest& request) const;

 private:
  class Walk;

  const NamespaceTree& tree_;
  const BlockMap& blocks_;
  const BlockLocator& locator_;
};

}  // namespace slipstream::dfs::master
