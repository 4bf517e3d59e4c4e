#pragma once

#include <cstddef>
#include <span>
#include <unordered_set>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/records.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// QuotaTable: limits on what lies below directories, and sums of it, kept only at directories that
// have a limit.
//
// What counts is names (files and directories, the directory itself included) and space: the bytes
// stored, times the replicas wanted, as `dfs du` shows them. What is prepared is *promised*: it
// counts, too, and cannot be refused when it is committed. A share remembers to whom it was
// promised, so that a rename in between moves nothing.
//
// Subtrees of up to `count_inline_max` names are counted within the request that needs their sum.
// Larger ones are counted in the background (SubtreeCounter), on the tables as they were; until
// then the quota is_counting: its sum lacks them, and it refuses what exceeds it without them. A
// restart begins their counting anew.
// Threads     none; under the master's lock. Where nobody has a quota, nothing of this costs
//             anything: in memory is the set of directories that may have one.
// Errors      kResourceExhausted, in HDFS's words.
class QuotaTable final {
 public:
  // Whether a charge may be refused: what was promised, or is moved by the master itself, may not.
  enum class Check { kRefuse, kAllow };

  explicit QuotaTable(size_t count_inline_max) : count_inline_max_(count_inline_max) {}

  Status Load(const KeyValueStore& store);
  // Begins the counts anew that a restart interrupted.
  Status RestartCounts(Transaction& txn);

  Result<std::optional<Quota>> Find(const Transaction& txn, InodeId directory) const;

  struct Limits {
    std::optional<uint64_t> names_max;  // absent: as it is; 0: no limit
    std::optional<uint64_t> space_max_bytes;
  };
  Status SetLimits(Transaction& txn, InodeId directory, const Limits& limits);
  // The directory is gone.
  void Erase(Transaction& txn, InodeId directory) const;

  // Adds `usage` to the directory and all above it.
  Status Charge(Transaction& txn, InodeId directory, const Usage& usage, Check check);
  // Moves what `inode` and all below it use out of the directory `from` and into `to`; kNoInode:
  // nowhere. Directories above both are not concerned. To be called before the tree is changed.
  Status Move(Transaction& txn, const Inode& inode, InodeId from, InodeId to, Check check);

  // Charges a share, to be committed in `directory`, and remembers it there.
  Status Promise(Transaction& txn, InodeId directory, const Usage& usage, PreparedShare& share);
  // The share is being committed or given up.
  Status EndPromise(Transaction& txn, const PreparedShare& share);

  // Takes a count made in the background in.
  Status Counted(Transaction& txn, const SubtreeCount& count, const Usage& usage);
  Status EndCounting(Transaction& txn, InodeId directory);

 private:
  // The directories with a quota from `directory` upwards.
  Result<std::vector<InodeId>> Above(const Transaction& txn, InodeId directory) const;
  Status Add(Transaction& txn,
             std::span<const InodeId> directories,
             const Usage& usage,
             Check check) const;
  Status CheckLimits(const Transaction& txn,
                     InodeId directory,
                     const Quota& quota,
                     const Usage& usage) const;
  Status MarkCounting(Transaction& txn, std::span<const InodeId> directories) const;
  // What lies below a directory, as far as it can be counted at once.
  struct Below {
    Usage usage;
    bool is_complete = true;
  };
  Result<Below> CountBelow(const Transaction& txn, const Inode& inode) const;
  Result<std::string> PathOf(const Transaction& txn, InodeId directory) const;

  const size_t count_inline_max_;
  // Not fewer than have one: transactions may be dropped.
  std::unordered_set<InodeId> may_have_;
};

}  // namespace slipstream::dfs::master
