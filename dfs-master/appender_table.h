#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/appends.h"
#include "dfs-master/id_allocator.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/share_binder.h"
#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

// AppenderTable: two-phase, conditional appends.
//
//   Acquire   gives an incarnation and fences older ones out of Prepare. Discards nothing: only the
//             writer's own log (Kafka) knows which attempt won.
//   Prepare   promises an epoch: after it Commit cannot fail. It first carries out the pair the
//             writer committed before. One candidate stands for each incarnation that prepared.
//   Commit    makes one candidate's files visible, and is the only thing that discards candidates:
//             those of its owner up to its epoch. Idempotent, open to everyone.
//
// A Prepare or Commit sent again changes nothing and is answered as it was.
// Threads     none; under the master's lock. The state is all in the store.
// Errors      kAborted: begin anew with Acquire (fenced, epoch already passed, a file's length is
//             another, blocks were collected). kFailedPrecondition: what is asked contradicts what
//             was committed, or somebody else has the file; both sides are named. kInvalidArgument.
class AppenderTable final {
 public:
  // What it must know about blocks and nodes; bound by the master to its ledger and block map.
  struct Seams {
    std::function<bool(BlockId)> is_allocated;
    std::function<bool(BlockId)> is_collected;
    std::function<Result<bool>(BlockId)> is_live;  // prepared or committed
    // The number of a node that has ever registered.
    std::function<std::optional<NodeNumber>(std::string_view node_id)> number_of_node;
    std::function<bool(std::string_view owner)> has_lease;
    // The store was restored from a copy, so that writers may know more than it.
    std::function<bool()> is_restored;
    // Such a writer named a commit that is not there.
    std::function<void(std::string_view owner, EpochPair pair)> on_ahead;
  };
  struct Options {
    uint32_t min_replicas = 2;  // acknowledgements a block needs
    uint32_t replication = 2;   // replicas it is to have
  };

  // `tree` and `incarnations` are borrowed.
  AppenderTable(const Options& options,
                NamespaceTree& tree,
                IdAllocator& incarnations,
                Seams seams);

  Result<AcquireResult> Acquire(Transaction& txn, std::string_view owner, const Now& now);

  // `commit`: the same transaction commits them, too.
  Result<PrepareResult> Prepare(Transaction& txn,
                                std::span<const EpochAppend> epochs,
                                bool commit,
                                const Caller& caller,
                                const Now& now,
                                BlockChanges& changes);

  // Returns the inodes whose shares were dropped because they had been deleted.
  Result<std::vector<InodeId>> Commit(Transaction& txn,
                                      std::span<const EpochCommit> commits,
                                      const Now& now,
                                      BlockChanges& changes);

  struct GivenUp {
    uint32_t candidates = 0;
    uint32_t files = 0;
  };
  // Discards the candidates, gives up the open files, and fences the writer. Returns how many
  // there were.
  Result<GivenUp> Abort(Transaction& txn,
                        std::string_view owner,
                        const Now& now,
                        BlockChanges& changes);

  // Whether `incarnation` is the newest that `owner` was given. kAborted: it is not, and nothing
  // that it writes will be taken any more.
  Status CheckNewest(const Transaction& txn, std::string_view owner, uint64_t incarnation) const;

  // Those whose owner begins with `owner_prefix`, at most `limit`.
  Result<std::vector<AppenderStatus>> List(const Transaction& txn,
                                           std::string_view owner_prefix,
                                           size_t limit) const;

  // Forgets up to `limit` appenders that have nothing anyone could come back for and were idle
  // since `idle_since_ms`: those that commit with their Prepare, or never committed; no candidates,
  // no open files, no lease. Others are kept for good: their committed epoch is their writer's
  // truth. Begins behind `start_after` and returns where to go on; empty: done.
  Result<std::string> ForgetIdle(Transaction& txn,
                                 std::string_view start_after,
                                 int64_t idle_since_ms,
                                 size_t limit) const;

 private:
  using SeenBlocks = std::unordered_set<BlockId>;

  Result<std::optional<Appender>> Load(const Transaction& txn, std::string_view owner) const;
  void Store(Transaction& txn, std::string_view owner, Appender& appender, const Now& now) const;
  Result<Candidate> LoadCandidate(const Transaction& txn,
                                  std::string_view owner,
                                  EpochPair pair) const;

  Result<PrepareResult::Appender> PrepareOne(Transaction& txn,
                                             const EpochAppend& epoch,
                                             bool commit,
                                             const Caller& caller,
                                             const Now& now,
                                             SeenBlocks& seen,
                                             BlockChanges& changes);
  Status CheckFencing(const EpochAppend& epoch, const Appender& appender) const;
  Result<Candidate> BindAll(Transaction& txn,
                            const EpochAppend& epoch,
                            const Caller& caller,
                            const Now& now,
                            SeenBlocks& seen,
                            BlockChanges& changes);
  Result<std::vector<FileBlock>> CheckBlocks(const std::vector<PreparedBlock>& blocks,
                                             SeenBlocks& seen) const;
  Status CheckBlock(const PreparedBlock& prepared) const;

  Status CommitOne(Transaction& txn,
                   std::string_view owner,
                   EpochPair pair,
                   const Now& now,
                   std::vector<InodeId>& dropped,
                   BlockChanges& changes);
  // Commits `pair`, whose candidate this is; `appender` is the owner's, and stored.
  Status CommitCandidate(Transaction& txn,
                         std::string_view owner,
                         EpochPair pair,
                         const Candidate& candidate,
                         Appender& appender,
                         const Now& now,
                         std::vector<InodeId>& dropped,
                         BlockChanges& changes);
  Status CarryOut(Transaction& txn,
                  std::string_view owner,
                  const Candidate& candidate,
                  const Now& now,
                  std::vector<InodeId>& dropped,
                  BlockChanges& changes);
  Status Discard(Transaction& txn, std::string_view owner, EpochPair pair, BlockChanges& changes);

  const Options options_;
  IdAllocator& incarnations_;
  const Seams seams_;
  ShareBinder binder_;
};

}  // namespace slipstream::dfs::master
