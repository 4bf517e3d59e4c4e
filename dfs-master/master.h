#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-master/appender_table.h"
#include "dfs-master/balancer.h"
#include "dfs-master/block_ledger.h"
#include "dfs-master/block_loader.h"
#include "dfs-master/block_locator.h"
#include "dfs-master/block_map.h"
#include "dfs-master/block_spreader.h"
#include "dfs-master/cached_store.h"
#include "dfs-master/caller.h"
#include "dfs-master/file_checker.h"
#include "dfs-master/file_editor.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/lease_table.h"
#include "dfs-master/merge_finder.h"
#include "dfs-master/merge_planner.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/node_table.h"
#include "dfs-master/orphan_queue.h"
#include "dfs-master/orphan_reaper.h"
#include "dfs-master/permissions.h"
#include "dfs-master/quota_table.h"
#include "dfs-master/refusal_memory.h"
#include "dfs-master/repair_planner.h"
#include "dfs-master/replica_placer.h"
#include "dfs-master/restore_gate.h"
#include "dfs-master/retry_table.h"
#include "dfs-master/subtree_count.h"
#include "dfs-master/trash_emptier.h"
#include "dfs-master/types.h"

namespace spdlog {
class logger;
}

namespace slipstream::dfs::master {

struct LocatedRange {
  FileStatus status;
  uint64_t first_block_offset_bytes = 0;
  std::vector<LocatedBlock> blocks;
};

struct BlockAllocation {
  BlockIdRange ids;
  std::vector<NodeAddress> nodes;
};

struct ReplicaChange {
  enum class Kind { kAdded, kRemoved, kCorrupt };

  uint64_t sequence = 0;
  Kind kind = Kind::kAdded;
  Block block;  // of one removed or corrupt, only the id
};

// To make one block of some that follow one another in a file.
struct MergeOrder {
  BlockId block_id = 0;
  std::vector<LocatedBlock> sources;
  std::vector<NodeAddress> next;  // the chain behind the node that merges
};

// What became of such an order.
struct MergeReport {
  Block block;
  std::vector<std::string> holder_node_ids;
  std::string failure;  // why it could not be done; empty: it was
};

struct HeartbeatAnswer {
  struct Command {
    NodeCommand command;
    NodeAddress target;  // of a copy
  };

  uint64_t log_position = 0;
  uint64_t acknowledged_sequence = 0;
  bool wants_full_report = false;
  std::vector<Command> commands;
  std::optional<MergeOrder> merge;
};

struct RegistrationAnswer {
  uint64_t session = 0;
  uint64_t log_position = 0;
};

struct NodeReport {
  Node node;
  uint64_t replica_count = 0;
  uint64_t blocks_to_move = 0;  // of a node being decommissioned
};

struct ClusterState {
  std::string safe_mode_reason;  // empty: not in safe mode
  bool is_safe_by_hand = false;
  std::vector<NodeReport> nodes;
  Totals totals;
  BlockMap::Counts blocks;
  uint64_t pending_repairs = 0;
  uint64_t pending_deletions = 0;
  BalanceStatus balance;
  uint32_t replication = 0;
};

// What clients go by where they are not told otherwise.
struct Defaults {
  uint32_t replication = 0;
  uint32_t min_replicas = 0;
  std::chrono::milliseconds trash_interval{0};  // zero: no trash is kept
};

// Master: the file system's one source of truth: names, blocks, appenders, and where replicas are.
//
// Ownership   borrows the store and the clock, which must outlive it.
// Threads     thread-safe. One lock, mutex_, guards everything; it is held for the work in memory
//             and for KeyValueStore::Apply, never for a sync. So requests change the state one
//             after another and wait for the disk together.
// Durability  no answer is given, be it an error or that of a read, before everything it may have
//             seen is durable; but see LogWait (log_wait.h).
// Blocking    every method but the queries of soft state may wait for one sync of the log.
// Errors      those of NamespaceTree and AppenderTable; kUnavailable where too few datanodes are
//             there. After an error of the store everything is kUnavailable, and Options::on_fatal
//             was called: the process is to end.
class Master final {
 public:
  struct Options {
    uint32_t min_replicas = 2;  // holders a block needs before it can be prepared
    uint32_t replication = 2;   // replicas it is to have
    BlockLedger::Options ledger;
    NodeTable::Options nodes;
    RepairPlanner::Options repair;
    Balancer::Options balance;
    RetryTable::Options requests;
    MergeFinder::Options merge_finder;
    MergePlanner::Options merges;
    // Safe mode ends at the latest so long after the first node came.
    std::chrono::milliseconds safe_mode_max{30'000};
    // How long what users removed stays in their trash (TrashEmptier); zero: there is none.
    std::chrono::milliseconds trash_interval{0};
    // What a request counts of a subtree before it leaves that to the background.
    size_t quota_count_inline_max = 50'000;
    // So many blocks are read before the store is said to be open; the rest by LoadStep.
    size_t load_inline_max = 100'000;
    size_t load_step_max = 8'192;  // blocks a step
    // Of what was looked up in the store, kept in memory (CachedStore).
    size_t cache_bytes = size_t{128} << 20;
    uint64_t seed = 1;  // of placement
    Attributes root;    // of the root directory of a new store
    std::function<void(const Status&)> on_fatal;
    // With fewer bytes left on the store's disk than this nothing is changed, as in safe mode by
    // hand, until there are more; 0, or without `free_bytes`, which says how many there are: it is
    // not looked at.
    uint64_t disk_reserve_bytes = 0;
    std::function<Result<uint64_t>()> free_bytes;
    // Copies the store into a directory. Null: it cannot be copied.
    std::function<Result<BackupInfo>(const std::string& directory)> backup;
  };

  // Opens what the store holds, or lays out a new one. Names can be asked for and changed at once.
  // Of a large store the blocks are still to be read (LoadStep); until they are, what needs them
  // all is kUnavailable: registering nodes, so allocating, preparing blocks, and checking files.
  // Errors: kDataLoss, kFailedPrecondition (a format of another version).
  static Result<std::unique_ptr<Master>> Open(Options options, KeyValueStore& store, Clock& clock);
  ~Master();
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;

  // Returns when the log is durable up to `position`: what a LogWait owes before it answers.
  Status AwaitLog(uint64_t position) EXCLUDES(mutex_);
  // What is durable already; may lag.
  uint64_t durable_position() const { return store_.durable_position(); }

  // Users' requests are checked against owners and modes (Permissions) for `caller`; without one
  // it is the process itself that asks. Errors: also kPermissionDenied.

  // ---- Names ----

  Result<FileStatus> GetStatus(std::string_view path, const Caller& caller = Caller::Process());
  // `limit` 0 is 1000; more than 5000 are not given at once.
  Result<Listing> List(std::string_view path,
                       std::string_view start_after,
                       uint32_t limit,
                       const Caller& caller = Caller::Process());
  // Whether the caller may do to it what `rights` says: 4 read, 2 write, 1 search.
  Status CheckAccess(std::string_view path,
                     uint32_t rights,
                     const Caller& caller = Caller::Process());
  // One result for each path; at most 10,000.
  Result<std::vector<Result<FileStatus>>> GetStatuses(std::span<const std::string> paths,
                                                      const Caller& caller = Caller::Process());

  // Each of these is carried out once, however often it is sent with the same request id, and
  // answered the same (RetryTable); an empty id is none.
  Result<FileStatus> MakeDirectory(std::string_view path,
                                   const Attributes& attributes,
                                   bool create_parents,
                                   std::string_view request_id = {},
                                   const Caller& caller = Caller::Process());
  Status Delete(std::string_view path,
                bool is_recursive,
                std::string_view request_id,
                const Caller& caller = Caller::Process());
  Status Rename(std::string_view source,
                std::string_view target,
                bool replace,
                std::string_view request_id,
                const Caller& caller = Caller::Process());
  Result<FileStatus> SetAttributes(std::string_view path,
                                   const AttributeChange& change,
                                   std::string_view request_id,
                                   const Caller& caller = Caller::Process());
  Status SetReplication(std::string_view path,
                        uint32_t replication,
                        std::string_view request_id,
                        const Caller& caller = Caller::Process());
  Status SetQuota(std::string_view path,
                  const QuotaTable::Limits& limits,
                  std::string_view request_id,
                  const Caller& caller = Caller::Process());
  Status Truncate(std::string_view path,
                  uint64_t length_bytes,
                  std::string_view request_id,
                  const Caller& caller = Caller::Process());
  Status Concat(std::string_view target,
                std::span<const std::string> sources,
                std::string_view request_id,
                const Caller& caller = Caller::Process());

  // ---- Reading ----

  struct FileName {
    std::string_view path;  // or, where it is empty,
    InodeId inode = kNoInode;
  };
  // The blocks that overlap [offset, offset + length), a length of 0 being to the end; at most
  // 10,000: a reader that wants more asks again behind the last.
  Result<LocatedRange> LocateBlocks(const FileName& file,
                                    uint64_t offset_bytes,
                                    uint64_t length_bytes,
                                    const Caller& caller = Caller::Process());
  // A client's claim; makes the node check.
  Status ReportBadReplica(BlockId id, std::string_view node_id);

  // ---- Writing ----

  struct AllocationRequest {
    std::string writer;
    uint32_t count = 1;
    uint64_t stored_bytes = 0;
    std::vector<std::string> excluded_node_ids;
  };
  Result<BlockAllocation> AllocateBlocks(const AllocationRequest& request);
  // With a lease (LeaseTable) the appender is given up, as by AbortAppender, when nothing was heard
  // of its owner for so long: every call in his name counts, and so does RenewLease.
  // Carried out once, as changes of names are: another incarnation for a late copy of a request
  // would fence the writer that the first one was given to.
  Result<AcquireResult> AcquireAppender(
      std::string_view owner,
      std::chrono::milliseconds lease = std::chrono::milliseconds(0),
      std::string_view request_id = {});
  // kAborted: the appender was given up, or another incarnation has it.
  Status RenewLease(std::string_view owner, uint64_t incarnation);
  Result<PrepareResult> Prepare(std::span<const EpochAppend> epochs,
                                bool commit,
                                const Caller& caller = Caller::Process());
  Result<std::vector<InodeId>> Commit(std::span<const EpochCommit> commits);
  Result<uint32_t> AbortAppender(std::string_view owner);
  Result<std::vector<AppenderStatus>> ListAppenders(std::string_view owner_prefix);

  // ---- Datanodes ----

  Result<RegistrationAnswer> Register(const NodeRegistration& registration);
  Result<HeartbeatAnswer> Heartbeat(std::string_view node_id,
                                    uint64_t session,
                                    const NodeLoad& load,
                                    std::span<const ReplicaChange> changes);
  // A full report, which comes in parts of any size: the replicas the node had after its change
  // `sequence`. What is there counts at once, what is not there any more with the end; a report
  // that breaks off is simply dropped.
  struct BlockReport {
    std::string node_id;
    uint64_t session = 0;
    uint64_t sequence = 0;
    BlockIdSet reported = {};
  };
  Status AddToReport(BlockReport& report, std::span<const Block> replicas);
  // Others get their turn in between: a node may have millions of replicas.
  Result<uint64_t> EndReport(const BlockReport& report);
  // One that is all there.
  Result<uint64_t> ReportBlocks(std::string_view node_id,
                                uint64_t session,
                                uint64_t sequence,
                                std::span<const Block> replicas);
  // Puts a merged block in the place of its sources, if these still stand side by side in their
  // file: true. Else it is garbage: false. Sent again it is answered the same.
  Result<bool> FinishMerge(std::string_view node_id, uint64_t session, const MergeReport& report);

  // ---- The cluster ----

  Result<ClusterState> GetClusterState();
  Defaults GetDefaults() const;

  // ---- What operators ask ----

  // Safe mode by hand: what users ask to change is refused (kFailedPrecondition), writers are told
  // to wait (kUnavailable), nodes are ordered nothing, and housekeeping rests; reading goes on.
  // Kept in the store: only leaving ends it. The one after a start is another matter: it goes by
  // itself. Carried out once for each request id, as is the next.
  Status SetSafeMode(bool enter, std::string_view request_id = {});
  // What is wanted of a node, by its id, HOST:PORT or HOST; kept in the store. kDecommissioned is
  // not asked for: it comes when the blocks of a node being decommissioned are elsewhere.
  // `until_ms`, of maintenance: since 1970 UTC; 0: until it is ended.
  // Errors: kNotFound, kInvalidArgument.
  Status SetNodeService(std::string_view name,
                        NodeService service,
                        int64_t until_ms,
                        std::string_view request_id = {});
  // Soft: after a restart nothing is being balanced.
  Status StartBalance(double threshold_percent);
  Status StopBalance();
  Result<BalanceStatus> GetBalance();
  // The health of the files below a path, a page at a time.
  Result<CheckPage> CheckFiles(const CheckRequest& request,
                               const Caller& caller = Caller::Process());

  // Reads some thousand more of the store's blocks; false: that was all. To be called again and
  // again after Open, by one thread, which may be another one than Tick's.
  Result<bool> LoadStep();

  // Lets a part of the blocks of nodes that came, died or changed their service follow; false: all
  // have. Tick does one; with many blocks it is called again and again, with pauses for others.
  bool FollowStep();

  // A copy of the store as it is now, into an absolute directory of this machine; requests go on
  // meanwhile. Errors: kUnavailable (another one is being made), those of Options::backup.
  Result<BackupInfo> MakeBackup(const std::string& directory);

  // Of a master whose store was restored from a copy (RestoreGate): how far it is, and an
  // operator's word that lets it go on.
  Result<RestoreStatus> GetRestoreStatus();
  Status GoOnWithoutMissingNodes();
  Status ForgetUnknownReplicas();

  // Housekeeping: call once a second, from one thread. Node states, safe mode, repair, and a step
  // each of merging small blocks, of reaping and of collecting garbage.
  Status Tick();

 private:
  // Everything that changes; handed to what runs under the lock.
  struct State {
    State(const Options& options, const KeyValueStore& store, SteadyTime now);
    std::string SafeModeReason() const;
    // Safe mode by hand, as users and as writers are told of it.
    Status CheckNamesMayChange() const;
    Status CheckMayWrite() const;
    void TouchWriter(std::string_view owner, const Now& now);
    // kUnavailable while a restored master waits for its nodes.
    Status CheckMayAllocate() const;
    // kUnavailable until every block of the store is known.
    Status CheckLoaded() const;

    Status fatal;
    IdAllocator inode_ids;
    IdAllocator incarnations;  // of appenders, and sessions of nodes
    QuotaTable quotas;
    NamespaceTree tree;
    Permissions permissions{tree};
    FileEditor files;
    TrashEmptier trash;
    SubtreeCounter counter;
    BlockLedger ledger;
    BlockMap blocks;
    BlockLoader loader{blocks};
    NodeTable nodes;
    ReplicaPlacer placer;
    RepairPlanner planner;
    Balancer balancer;
    BlockSpreader spreader;
    MergeFinder merge_finder;
    MergePlanner merges;
    LeaseTable leases;
    AppenderTable appenders;
    BlockLocator locator;
    RetryTable requests;
    RefusalMemory refusals;
    RestoreGate restore;
    OrphanQueue orphans;

    const SteadyTime started_at;
    bool is_in_safe_mode = true;
    bool is_safe_by_hand = false;
    bool is_disk_low = false;
    std::optional<SteadyTime> first_node_at;
    SteadyTime collected_at;
    SteadyTime forgot_at;
    std::string forget_after;
  };

  Master(Options options, KeyValueStore& store, Clock& clock);
  Status Load() REQUIRES(mutex_);
  Status BeginLoadingBlocks() REQUIRES(mutex_);
  void BeginRestored(Transaction& txn, const Now& now) REQUIRES(mutex_);
  Now ReadClock() const;

  // Runs `change` in a transaction, applies it, and waits until it is durable. `operation` names
  // the failpoints master.<operation>.before_write, .after_write and .after_sync.
  template <class Fn>
  auto Write(std::string_view operation, Fn change);
  // Its first half: applies the change, and does not wait. Sets `position` to what is to be waited
  // for before the result may be told to anybody; to nothing where it is an error of this process,
  // which waits for nothing.
  template <class Fn>
  auto WriteAhead(std::string_view operation, std::optional<uint64_t>& position, Fn change);
  // Its second half.
  Status AwaitWritten(std::string_view operation, uint64_t position) EXCLUDES(mutex_);
  // A change that is carried out once.
  struct OnceRequest {
    std::string_view operation;  // as for Write
    std::string_view request_id;
    std::string content;  // what is asked, to tell it from others under the same id
    // What refuses it in safe mode by hand; null: nothing does.
    Status (State::*check)() const = &State::CheckNamesMayChange;
  };
  // As Write; `change` gives the answer to be remembered, and, sent again, the request gets it.
  template <class Fn>
  Result<std::string> WriteOnce(const OnceRequest& request, Fn change);
  // Runs `query` and waits until what it saw is durable.
  template <class Fn>
  auto Read(Fn query);
  Result<uint64_t> Apply(Transaction& txn, BlockChanges& changes, const Now& now) REQUIRES(mutex_);
  // Ends all further work; returns what callers get from here on.
  Status Fail(const Status& error) EXCLUDES(mutex_);

  static void ApplyReplicaChange(State& state, Node& node, const ReplicaChange& change);
  // Between two steps of something long: a mutex that is let go and taken again at once mostly goes
  // to the same thread, whoever waits for it.
  void LetOthersIn() REQUIRES(mutex_);
  void TakeAsReported(Node& node, const BlockReport& report, const Now& now) REQUIRES(mutex_);
  void SweepNodes(const Now& now) REQUIRES(mutex_);
  void AskForReports(const Now& now) REQUIRES(mutex_);
  void LookAtDisk() EXCLUDES(mutex_);
  void UpdateSafeMode(const Now& now) REQUIRES(mutex_);
  bool MayRepair(const State& state, const Now& now) const;
  void PlanRepair(const Now& now) REQUIRES(mutex_);
  // Changes what is wanted of a node, and what its replicas count for.
  void ChangeService(State& state,
                     Transaction& txn,
                     Node& node,
                     NodeService service,
                     int64_t until_ms,
                     const Now& now);
  bool IsVacated(const State& state, const Node& node, const Now& now) const;
  uint32_t EnoughReplicas(const State& state) const;
  // Ends maintenance whose time is over, and decommissions that are done.
  Status ServiceStep();
  Status ExpireStep();
  Status RestoreStep();
  Status CountStep();
  Status TrashStep();
  Status FindOrphans();
  Status MergeStep();
  Status OrderMerges(State& state, Transaction& txn, const Now& now);
  static std::optional<MergeOrder> TakeMergeOrder(State& state, NodeNumber node, const Now& now);
  // The block as it goes into the file, or why not.
  Result<FileBlock> CheckMerged(const State& state,
                                const MergePlanner::Merge& merge,
                                const MergeReport& report) const;
  Status ReapStep();
  Status CollectStep();
  Status ForgetStep();

  const Options options_;
  CachedStore store_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;

  OrphanReaper reaper_;  // Tick's alone

  mutable Mutex mutex_;
  CondVar step_pause_;  // never notified
  State state_ GUARDED_BY(mutex_);
  bool is_making_backup_ GUARDED_BY(mutex_) = false;
};

}  // namespace slipstream::dfs::master
