#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/quota_table.h"
#include "dfs-master/records.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// OrphanReaper: takes apart what was deleted, in steps, so that deleting a tree of millions takes
// no longer than deleting a file.
//
// An orphan is walked from its leaves up: what lies in a directory goes before the directory, a
// file's blocks no later than the file. So at any instant what is left hangs together below the
// orphan, and after a restart the walk begins there anew. Each step is in two halves: Gather reads
// what comes next, and needs no lock, since nobody else changes what is cut off; TakeApart deletes
// what was gathered. The walk only goes forward: it never comes by what it deleted.
// Memory      some hundred entries for each level of the tree being walked.
// Threads     none; one caller, which is not under the master's lock but in TakeApart.
class OrphanReaper final {
 public:
  // Borrowed.
  explicit OrphanReaper(const KeyValueStore& store) : store_(store) {}

  // Orphans to be taken apart; those that are gone already are passed over.
  void Add(const std::vector<InodeId>& orphans);
  // Adds those of the table, at most `limit`. Returns whether it saw the end of it.
  Result<bool> AddFromTable(size_t limit);
  bool HasOrphans() const { return !orphans_.empty() || !path_.empty() || HasGathered(); }

  // Gathers what is to be taken apart next: about `limit` entries, each a name or a block. What was
  // gathered before and not taken apart stays. Returns whether there is anything.
  Result<bool> Gather(size_t limit);
  // Deletes what was gathered, and appends the blocks given up to `discarded`.
  Status TakeApart(Transaction& txn, const QuotaTable& quotas, std::vector<BlockId>& discarded);

 private:
  // A name and what it stands for.
  struct Entry {
    Table table = Table::kInodes;  // or kOrphans, of the root of what is walked
    std::string key;
    Inode inode;
  };
  // A directory that is being walked, or a file of many blocks.
  struct Level {
    Entry entry;
    std::string position;  // the next key to be read below it
    bool is_read = false;  // there is none
    std::vector<Entry> children;
    size_t child = 0;  // the next one of them
  };
  struct DoomedBlock {
    std::string key;
    BlockId id = 0;
  };

  bool HasGathered() const { return !names_.empty() || !blocks_.empty(); }
  size_t gathered() const { return names_.size() + blocks_.size(); }
  Result<bool> BeginNextOrphan();
  void Descend(Entry entry);
  // Each gathers some more below the last level of the path, which it leaves when that is done.
  Status WalkDirectory(size_t limit);
  Status WalkFile(size_t limit);
  Status ReadChildren(Level& level) const;
  // Files of which all blocks are gathered at once.
  Status GatherFiles(std::vector<Entry> files);

  const KeyValueStore& store_;
  std::deque<InodeId> orphans_;
  std::vector<Level> path_;
  std::vector<Entry> names_;
  std::vector<DoomedBlock> blocks_;
};

}  // namespace slipstream::dfs::master
