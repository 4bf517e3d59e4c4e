#include "dfs-master/master.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"
#include "dfs-master/log_wait.h"
#include "dfs-master/master_write.h"
#include "dfs-master/request_content.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint64_t kIdsPerRange = 1'000;
constexpr size_t kLocateBlocksMax = 10'000;
constexpr uint32_t kAllocateMax = 10'000;
constexpr size_t kListAppendersMax = 10'000;
constexpr const char* kLogger = "dfs_master";

// Tells a Prepare from all others, as a request id does.
std::string IdOfPrepare(std::span<const EpochAppend> epochs) {
  std::string id = "prepare";
  for (const EpochAppend& epoch : epochs) {
    id += " " + epoch.owner + "/" + std::to_string(epoch.epoch) + "/" +
          std::to_string(epoch.incarnation);
  }
  return id;
}

// An answer to be remembered.
std::string Encode(const AcquireResult& result) {
  Encoder out;
  out.Number(result.incarnation);
  out.Number(result.prepared.size());
  for (const EpochPair& pair : result.prepared) {
    out.Number(pair.epoch);
    out.Number(pair.incarnation);
  }
  out.Number(result.committed.epoch);
  out.Number(result.committed.incarnation);
  return out.Take();
}

Result<AcquireResult> DecodeAcquired(std::string_view answer) {
  Decoder in(answer);
  AcquireResult result{.incarnation = in.Number()};
  for (uint64_t count = in.Count(); count > 0; --count) {
    const uint64_t epoch = in.Number();
    result.prepared.push_back({.epoch = epoch, .incarnation = in.Number()});
  }
  result.committed.epoch = in.Number();
  result.committed.incarnation = in.Number();
  RETURN_IF_ERROR(in.Finish("the answer of an acquire"));
  return result;
}

}  // namespace

Master::State::State(const Options& options, const KeyValueStore& store, SteadyTime now)
    : inode_ids(kMetaInodeIdEnd, kRootInode + 1, kIdsPerRange),
      incarnations(kMetaIncarnationEnd, 1, kIdsPerRange),
      quotas(options.quota_count_inline_max),
      tree(inode_ids, quotas, options.replication),
      files(tree),
      trash(tree, options.trash_interval),
      ledger(options.ledger),
      nodes(options.nodes),
      placer(options.seed),
      planner(options.repair, nodes, blocks, placer),
      balancer(options.balance, nodes, blocks, planner),
      spreader(nodes, blocks, planner, placer),
      merge_finder(options.merge_finder, store),
      merges(options.merges, nodes, blocks, placer),
      appenders({.min_replicas = options.min_replicas, .replication = options.replication},
                tree,
                incarnations,
                {.is_allocated = [this](BlockId id) { return ledger.IsAllocated(id); },
                 .is_collected = [this](BlockId id) { return ledger.IsCollected(id); },
                 .is_live = [this](BlockId id) -> Result<bool> {
                   if (blocks.Contains(id)) return true;
                   RETURN_IF_ERROR(CheckLoaded());
                   return false;
                 },
                 .number_of_node = [this](std::string_view node_id) -> std::optional<NodeNumber> {
                   const Node* node = nodes.FindById(node_id);
                   return node == nullptr ? std::nullopt : std::optional(node->number);
                 },
                 .has_lease = [this](std::string_view owner) { return leases.Has(owner); },
                 .is_restored = [this] { return restore.is_restored(); },
                 .on_ahead =
                     [this](std::string_view owner, EpochPair pair) {
                       if (!restore.Claim(owner, pair)) return;
                       log::Get(kLogger)->error(
                           "writer_ahead owner={} pair={}", log::Quoted(owner), pair.ToString());
                     }}),
      locator(store, blocks, nodes),
      requests(options.requests),
      started_at(now),
      collected_at(now),
      forgot_at(now) {}

Master::Master(Options options, KeyValueStore& store, Clock& clock)
    : options_(std::move(options)),
      store_(store, options_.cache_bytes),
      clock_(clock),
      log_(log::Get(kLogger)),
      reaper_(store_),
      state_(options_, store_, clock.Now()) {}

Master::~Master() = default;

Now Master::ReadClock() const {
  return {.steady = clock_.Now(), .wall = clock_.WallNow()};
}

Result<uint64_t> Master::Apply(Transaction& txn, BlockChanges& changes, const Now& now) {
  state_.ledger.Collect(txn, changes.discarded);
  uint64_t position = store_.position();
  if (txn.has_changes()) {
    ASSIGN_OR_RETURN(position, store_.Apply(txn.TakeBatch()));
  }
  for (const FileBlock& block : changes.prepared)
    state_.blocks.Prepare(block, now);
  for (BlockId id : changes.committed)
    state_.blocks.Commit(id);
  for (BlockId id : changes.discarded)
    state_.blocks.Discard(id);
  for (const BlockChanges::Growth& growth : changes.growths)
    state_.merge_finder.Grew(growth.file, growth.offset_bytes, growth.block_count);
  for (const BlockChanges::Replication& change : changes.replications)
    state_.blocks.SetReplication(change.id, change.replication);
  for (SubtreeCount& count : txn.TakeCounts())
    state_.counter.Add(std::move(count), store_);
  state_.orphans.Add(txn.TakeOrphans());
  return position;
}

Status Master::AwaitWritten(std::string_view operation, uint64_t position) {
  RETURN_IF_ERROR(HitFailpoint(operation, "after_write"));
  if (LogWait* wait = LogWait::Current()) {
    wait->Note(position);
    wait->NoteOperation(operation);
    return {};
  }
  RETURN_IF_ERROR(AwaitLog(position));
  return HitFailpoint(operation, "after_sync");
}

Status Master::AwaitLog(uint64_t position) {
  Status status = store_.Sync(position);
  return status.ok() ? Status() : Fail(status);
}

Status Master::Fail(const Status& error) {
  Status fatal = Unavailable("metadata store failed: " + error.message());
  {
    MutexLock lock(mutex_);
    state_.fatal = fatal;
  }
  if (options_.on_fatal) options_.on_fatal(fatal);
  return fatal;
}

// ---- Reading ----

Result<LocatedRange> Master::LocateBlocks(const FileName& file,
                                          uint64_t offset_bytes,
                                          uint64_t length_bytes,
                                          const Caller& caller) {
  return Read([&](State& state, const Transaction& txn) -> Result<LocatedRange> {
    std::optional<Inode> inode;
    if (file.path.empty()) {
      ASSIGN_OR_RETURN(inode, state.tree.FindReachable(txn, file.inode));
      if (!inode.has_value()) return NotFound("no such inode=" + std::to_string(file.inode));
      RETURN_IF_ERROR(Permissions::CheckReadInode(caller, *inode));
    } else {
      RETURN_IF_ERROR(state.permissions.CheckRead(txn, caller, file.path));
      ASSIGN_OR_RETURN(Path path, ParsePath(file.path));
      ASSIGN_OR_RETURN(inode, state.tree.Find(txn, path));
    }
    if (inode->is_directory()) return FailedPrecondition("is a directory");
    LocatedRange range;
    ASSIGN_OR_RETURN(range.status, state.tree.StatusOf(txn, *inode));
    if (offset_bytes > inode->length_bytes) {
      return OutOfRange("offset=" + std::to_string(offset_bytes) +
                        " length=" + std::to_string(inode->length_bytes));
    }
    uint64_t end = inode->length_bytes;
    if (length_bytes != 0 && length_bytes < end - offset_bytes) end = offset_bytes + length_bytes;
    ASSIGN_OR_RETURN(BlockLocator::Range located,
                     state.locator.Locate(inode->id, offset_bytes, end, kLocateBlocksMax));
    range.first_block_offset_bytes = located.first_block_offset_bytes;
    range.blocks = std::move(located.blocks);
    return range;
  });
}

// ---- Writing ----

void Master::State::TouchWriter(std::string_view owner, const Now& now) {
  ledger.Touch(owner, now);
  leases.Touch(owner, now);
}

Result<BlockAllocation> Master::AllocateBlocks(const AllocationRequest& request) {
  RETURN_IF_ERROR(CheckOwner(request.writer));
  if (request.count == 0 || request.count > kAllocateMax) {
    return InvalidArgument("allocate wants 1 to 10000 blocks: count=" +
                           std::to_string(request.count));
  }
  return Write(
      "allocate",
      [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
          -> Result<BlockAllocation> {
        state.TouchWriter(request.writer, now);
        RETURN_IF_ERROR(state.CheckMayWrite());
        RETURN_IF_ERROR(state.CheckMayAllocate());
        ReplicaPlacer::Request wanted{.count = options_.replication,
                                      .bytes = request.stored_bytes,
                                      .excluded = {},
                                      .present = {}};
        for (const std::string& node_id : request.excluded_node_ids) {
          const Node* node = state.nodes.FindById(node_id);
          if (node != nullptr) wanted.excluded.push_back(node->number);
        }
        std::vector<NodeNumber> chain = state.placer.Pick(state.nodes, wanted);
        if (chain.size() < options_.min_replicas) {
          return Unavailable("too few datanodes with room: usable=" + std::to_string(chain.size()) +
                             " live=" + std::to_string(state.nodes.live_count()) +
                             " excluded=" + std::to_string(wanted.excluded.size()) +
                             " wanted=" + std::to_string(options_.min_replicas));
        }
        BlockAllocation allocation;
        ASSIGN_OR_RETURN(allocation.ids,
                         state.ledger.Allocate(txn, request.writer, request.count, now));
        for (NodeNumber number : chain) {
          state.nodes.Find(number)->placed_bytes += request.stored_bytes;
          allocation.nodes.push_back(state.locator.AddressOf(number));
        }
        return allocation;
      });
}

Result<AcquireResult> Master::AcquireAppender(std::string_view owner,
                                              std::chrono::milliseconds lease,
                                              std::string_view request_id) {
  RETURN_IF_ERROR(LeaseTable::Check(lease));
  OnceRequest once{
      .operation = "acquire", .request_id = request_id, .check = &State::CheckMayWrite};
  once.content =
      RequestContent("acquire").Add(owner).Add(static_cast<uint64_t>(lease.count())).Take();
  ASSIGN_OR_RETURN(std::string answer,
                   WriteOnce(once,
                             [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
                                 -> Result<std::string> {
                               ASSIGN_OR_RETURN(AcquireResult acquired,
                                                state.appenders.Acquire(txn, owner, now));
                               state.leases.Grant(txn, owner, lease, now);
                               return Encode(acquired);
                             }));
  return DecodeAcquired(answer);
}

Status Master::RenewLease(std::string_view owner, uint64_t incarnation) {
  return Read([&](State& state, const Transaction& txn) -> Status {
    RETURN_IF_ERROR(state.appenders.CheckNewest(txn, owner, incarnation));
    state.TouchWriter(owner, ReadClock());
    return {};
  });
}

Result<PrepareResult> Master::Prepare(std::span<const EpochAppend> epochs,
                                      bool commit,
                                      const Caller& caller) {
  return Write("prepare",
               [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                   -> Result<PrepareResult> {
                 // Also of those who are told to wait.
                 for (const EpochAppend& epoch : epochs)
                   state.TouchWriter(epoch.owner, now);
                 RETURN_IF_ERROR(state.CheckMayWrite());
                 // Who commits at once has given up where he was refused, as one who changes a name
                 // has; who prepares may try the same again, and commits nothing unheard.
                 const std::string id = commit ? IdOfPrepare(epochs) : std::string();
                 if (auto refusal = state.refusals.Find(id)) return *refusal;
                 Result<PrepareResult> prepared =
                     state.appenders.Prepare(txn, epochs, commit, caller, now, changes);
                 if (!prepared.ok()) state.refusals.Remember(id, prepared.status());
                 return prepared;
               });
}

Result<std::vector<InodeId>> Master::Commit(std::span<const EpochCommit> commits) {
  return Write("commit",
               [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                   -> Result<std::vector<InodeId>> {
                 for (const EpochCommit& commit : commits)
                   state.TouchWriter(commit.owner, now);
                 RETURN_IF_ERROR(state.CheckMayWrite());
                 return state.appenders.Commit(txn, commits, now, changes);
               });
}

Result<uint32_t> Master::AbortAppender(std::string_view owner) {
  return Write("abort",
               [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                   -> Result<uint32_t> {
                 RETURN_IF_ERROR(state.CheckNamesMayChange());
                 ASSIGN_OR_RETURN(AppenderTable::GivenUp given_up,
                                  state.appenders.Abort(txn, owner, now, changes));
                 state.leases.End(txn, owner);
                 state.restore.Forget(owner);
                 log_->warn("appender_aborted owner={} discarded_epochs={} closed_files={}",
                            log::Quoted(owner),
                            given_up.candidates,
                            given_up.files);
                 return given_up.candidates;
               });
}

Result<std::vector<AppenderStatus>> Master::ListAppenders(std::string_view owner_prefix) {
  return Read([&](State& state, const Transaction& txn) -> Result<std::vector<AppenderStatus>> {
    ASSIGN_OR_RETURN(std::vector<AppenderStatus> listed,
                     state.appenders.List(txn, owner_prefix, kListAppendersMax));
    for (AppenderStatus& appender : listed)
      appender.lease = state.leases.LengthOf(appender.owner);
    state.restore.AddClaims(owner_prefix, listed);
    return listed;
  });
}

}  // namespace slipstream::dfs::master
