// Master's dealings with datanodes, and its housekeeping.

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"

namespace slipstream::dfs::master {
namespace {

// Of a full report, taken in at once.
constexpr size_t kReportStep = 4'096;

constexpr std::chrono::microseconds kStepPause{500};

}  // namespace

Result<RegistrationAnswer> Master::Register(const NodeRegistration& registration) {
  BlockId position = 0;
  bool has_more = false;
  auto begin = [&](State& state,
                   Transaction& txn,
                   BlockChanges&,
                   const Now& now) -> Result<RegistrationAnswer> {
    // What it reported now would be taken for strays.
    RETURN_IF_ERROR(state.CheckLoaded());
    ASSIGN_OR_RETURN(uint64_t session, state.incarnations.Allocate(txn, 1));
    ASSIGN_OR_RETURN(Node * node, state.nodes.Register(txn, registration, session, now));
    has_more = state.blocks.BeginSession(node->number, position);
    state.blocks.SetPresence(node->number, node->presence());
    state.planner.BeginSession(node->number);
    state.merges.Forget(node->number);
    if (!state.first_node_at.has_value()) state.first_node_at = now.steady;
    log_->info("node_registered node={} address={} session={}",
               log::Quoted(registration.node_id),
               registration.address,
               session);
    const uint64_t durable = store_.durable_position();
    if (state.restore.is_restored()) {
      state.ledger.RaiseAbove(txn, registration.highest_block_id, now);
      state.restore.SawPosition(txn, registration.newest_log_position, durable);
    } else if (registration.newest_log_position > durable) {
      log_->error("node_ahead_of_log node={} seen={} position={}",
                  log::Quoted(registration.node_id),
                  registration.newest_log_position,
                  durable);
    }
    return RegistrationAnswer{.session = session,
                              .log_position = state.restore.PositionOf(durable)};
  };
  ASSIGN_OR_RETURN(RegistrationAnswer answer, Write("register", begin));
  // The node says nothing in its session before it knows of it.
  MutexLock lock(mutex_);
  while (has_more) {
    LetOthersIn();
    RETURN_IF_ERROR(state_.fatal);
    ASSIGN_OR_RETURN(Node * node, state_.nodes.Authenticate(registration.node_id, answer.session));
    node->seen_at = ReadClock().steady;
    has_more = state_.blocks.BeginSession(node->number, position);
  }
  return answer;
}

Result<HeartbeatAnswer> Master::Heartbeat(std::string_view node_id,
                                          uint64_t session,
                                          const NodeLoad& load,
                                          std::span<const ReplicaChange> changes) {
  HeartbeatAnswer answer;
  uint64_t position = 0;
  uint64_t offset = 0;
  {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(state_.fatal);
    const Now now = ReadClock();
    ASSIGN_OR_RETURN(Node * node, state_.nodes.Authenticate(node_id, session));
    NodeTable::Heartbeat(*node, load, now);
    for (const ReplicaChange& change : changes)
      ApplyReplicaChange(state_, *node, change);
    answer.acknowledged_sequence = node->acknowledged_sequence;
    answer.wants_full_report = node->needs_full_report;
    if (!state_.is_safe_by_hand) {
      for (const NodeCommand& command : state_.planner.TakeCommands(node->number, now)) {
        answer.commands.push_back(
            {.command = command, .target = state_.locator.AddressOf(command.target)});
      }
      answer.merge = TakeMergeOrder(state_, node->number, now);
    }
    position = store_.position();
    offset = state_.restore.PositionOf(0);
  }
  for (const ReplicaChange& change : changes) {
    if (change.kind != ReplicaChange::Kind::kCorrupt) continue;
    log_->warn("replica_found_bad block={} node={}", change.block.id, log::Quoted(node_id));
  }
  // What is to be deleted must be given up in the log first, and an id given there. Heartbeats
  // without commands tell nothing and need not wait for the disk.
  if (!answer.commands.empty() || answer.merge.has_value()) RETURN_IF_ERROR(AwaitLog(position));
  answer.log_position = store_.durable_position() + offset;
  return answer;
}

void Master::ApplyReplicaChange(State& state, Node& node, const ReplicaChange& change) {
  if (change.sequence <= node.acknowledged_sequence) return;
  node.acknowledged_sequence = change.sequence;
  const BlockId id = change.block.id;
  switch (change.kind) {
    case ReplicaChange::Kind::kAdded:
      state.blocks.Added(node.number, change.block, change.sequence);
      break;
    case ReplicaChange::Kind::kRemoved:
      state.blocks.Removed(node.number, id, change.sequence);
      break;
    case ReplicaChange::Kind::kCorrupt:
      state.blocks.Corrupt(node.number, id, change.sequence);
      break;
  }
  state.planner.Settle(node.number, id);
}

void Master::LetOthersIn() {
  (void)step_pause_.WaitFor(mutex_, kStepPause);
}

Status Master::AddToReport(BlockReport& report, std::span<const Block> replicas) {
  while (!replicas.empty()) {
    const std::span<const Block> part = replicas.first(std::min(replicas.size(), kReportStep));
    replicas = replicas.subspan(part.size());
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(state_.fatal);
    ASSIGN_OR_RETURN(Node * node, state_.nodes.Authenticate(report.node_id, report.session));
    // A long report must not let its node die.
    node->seen_at = ReadClock().steady;
    // Should it not be taken, its end says so.
    (void)state_.blocks.ReportPart(node->number, part, report.sequence, report.reported);
  }
  return {};
}

Result<uint64_t> Master::EndReport(const BlockReport& report) {
  BlockId position = 0;
  MutexLock lock(mutex_);
  while (true) {
    RETURN_IF_ERROR(state_.fatal);
    const Now now = ReadClock();
    ASSIGN_OR_RETURN(Node * node, state_.nodes.Authenticate(report.node_id, report.session));
    node->seen_at = now.steady;
    const BlockMap::ReportEnd end =
        state_.blocks.EndReport(node->number, report.sequence, report.reported, now, position);
    if (end == BlockMap::ReportEnd::kHasMore) {
      LetOthersIn();
      continue;
    }
    if (end == BlockMap::ReportEnd::kForgotten) {
      node->needs_full_report = true;
    } else {
      TakeAsReported(*node, report, now);
    }
    return state_.restore.PositionOf(store_.durable_position());
  }
}

void Master::TakeAsReported(Node& node, const BlockReport& report, const Now& now) {
  state_.planner.Reported(node.number);
  node.has_reported = true;
  node.needs_full_report = false;
  node.reported_at_ms = now.wall_ms();
  log_->info(
      "blocks_reported node={} replicas={}", log::Quoted(report.node_id), report.reported.size());
  UpdateSafeMode(now);
}

Result<uint64_t> Master::ReportBlocks(std::string_view node_id,
                                      uint64_t session,
                                      uint64_t sequence,
                                      std::span<const Block> replicas) {
  BlockReport report{.node_id = std::string(node_id), .session = session, .sequence = sequence};
  RETURN_IF_ERROR(AddToReport(report, replicas));
  return EndReport(report);
}

Status Master::ReportBadReplica(BlockId id, std::string_view node_id) {
  MutexLock lock(mutex_);
  const Node* node = state_.nodes.FindById(node_id);
  if (node == nullptr || !state_.blocks.Contains(id)) {
    return NotFound("no such block or node: block=" + std::to_string(id));
  }
  if (!state_.planner.Verify(node->number, id)) {
    return ResourceExhausted("the node has many replicas to check already");
  }
  return {};
}

Result<ClusterState> Master::GetClusterState() {
  return Read([&](State& state, const Transaction& txn) -> Result<ClusterState> {
    ClusterState cluster;
    ASSIGN_OR_RETURN(std::optional<Totals> totals, txn.Load<Totals>(Table::kMeta, kMetaTotals));
    cluster.totals = totals.value_or(Totals{});
    cluster.safe_mode_reason = state.SafeModeReason();
    cluster.is_safe_by_hand = state.is_safe_by_hand;
    cluster.blocks = state.blocks.counts();
    cluster.pending_repairs = state.planner.copies_in_flight();
    cluster.pending_deletions = state.planner.deletions_in_flight();
    cluster.balance = state.balancer.GetStatus(ReadClock());
    cluster.replication = options_.replication;
    for (const auto& [number, node] : state.nodes.nodes()) {
      // Known from before this master started, not back yet, and nothing is wanted of it.
      if (!node.is_registered() && node.service == NodeService::kInService) continue;
      cluster.nodes.push_back(
          {.node = node,
           .replica_count = state.blocks.replica_count(number),
           .blocks_to_move = state.blocks.BlocksToMove(number, EnoughReplicas(state))});
    }
    return cluster;
  });
}

Defaults Master::GetDefaults() const {
  return {.replication = options_.replication,
          .min_replicas = options_.min_replicas,
          .trash_interval = options_.trash_interval};
}

std::string Master::State::SafeModeReason() const {
  if (is_safe_by_hand) return "entered by hand: it lasts until `dfs safemode leave`";
  if (is_disk_low) return "the disk of the metadata is nearly full: nothing is changed";
  if (loader.is_loading()) {
    return "blocks read so far: " + std::to_string(loader.loaded_blocks());
  }
  if (Status status = CheckMayAllocate(); !status.ok()) return status.message();
  if (!is_in_safe_mode) return {};
  if (!first_node_at.has_value()) return "no datanode has come yet";
  return "blocks no datanode has reported yet: " + std::to_string(blocks.counts().unconfirmed);
}

void Master::UpdateSafeMode(const Now& now) {
  if (!state_.is_in_safe_mode || state_.loader.is_loading() || state_.restore.is_waiting()) return;
  const uint64_t unconfirmed = state_.blocks.counts().unconfirmed;
  bool is_overdue = state_.first_node_at.has_value() &&
                    now.steady - *state_.first_node_at >= options_.safe_mode_max;
  if (unconfirmed != 0 && !is_overdue) return;
  state_.is_in_safe_mode = false;
  if (unconfirmed == 0) {
    log_->info("safe_mode_ended blocks={}", state_.blocks.size());
  } else {
    log_->warn("safe_mode_ended blocks={} not_reported={}", state_.blocks.size(), unconfirmed);
  }
}

// Right after a start most nodes have not come back yet: what they have is not lost.
bool Master::MayRepair(const State& state, const Now& now) const {
  if (state.is_in_safe_mode || state.is_safe_by_hand) return false;
  if (now.steady - state.started_at >= options_.nodes.dead_after) return true;
  const auto& nodes = state.nodes.nodes();
  return std::all_of(nodes.begin(), nodes.end(), [](const auto& entry) {
    return entry.second.is_registered() && entry.second.has_reported;
  });
}

void Master::PlanRepair(const Now& now) {
  const BlockLedger& ledger = state_.ledger;
  const bool keeps_unknown = state_.restore.keeps_unknown();
  state_.planner.Plan([&](BlockId id) { return !keeps_unknown && ledger.IsCollected(id); }, now);
  state_.spreader.Step(now);
  if (!state_.balancer.Step(now)) return;
  const BalanceStatus status = state_.balancer.GetStatus(now);
  log_->info("balance_ended blocks_moved={} bytes_moved={} spread_percent={:.1f}",
             status.blocks_moved,
             status.bytes_moved,
             status.spread_percent);
}

void Master::SweepNodes(const Now& now) {
  for (NodeNumber number : state_.nodes.Sweep(now)) {
    state_.blocks.SetPresence(number, state_.nodes.Find(number)->presence());
    state_.planner.Forget(number);
    state_.merges.Forget(number);
    log_->warn("node_died node={} replicas={}",
               log::Quoted(state_.locator.AddressOf(number).node_id),
               state_.blocks.replica_count(number));
  }
}

// What a writer says a node has, and the node does not, is a replica that was lost before the node
// told of it: with a disk, say. It must not count until the next report, hours from now.
void Master::AskForReports(const Now& now) {
  for (const auto& [number, node] : state_.nodes.nodes()) {
    const bool is_asked = node.needs_full_report || !node.is_there() || !node.has_reported;
    if (is_asked || !state_.blocks.HasOldWord(number, now)) continue;
    state_.nodes.Find(number)->needs_full_report = true;
    log_->warn("writers_word_not_confirmed node={}", log::Quoted(node.registration.node_id));
  }
}

bool Master::FollowStep() {
  MutexLock lock(mutex_);
  return state_.fatal.ok() && state_.blocks.FollowPresence();
}

void Master::LookAtDisk() {
  if (options_.disk_reserve_bytes == 0 || !options_.free_bytes) return;
  const Result<uint64_t> free_bytes = options_.free_bytes();
  if (!free_bytes.ok()) return log_->warn("disk_not_seen error={}", free_bytes.status().ToString());
  MutexLock lock(mutex_);
  // Some more before it goes on, or it would come and go with every file of the store.
  const uint64_t enough =
      options_.disk_reserve_bytes + (state_.is_disk_low ? options_.disk_reserve_bytes / 10 : 0);
  const bool is_low = *free_bytes < enough;
  if (is_low == state_.is_disk_low) return;
  state_.is_disk_low = is_low;
  if (!is_low) state_.leases.TouchAll(ReadClock());
  log_->warn("disk_low is_low={} free_bytes={} reserve_bytes={}",
             is_low,
             *free_bytes,
             options_.disk_reserve_bytes);
}

Status Master::Tick() {
  LookAtDisk();
  {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(state_.fatal);
    const Now now = ReadClock();
    SweepNodes(now);
    (void)state_.blocks.FollowPresence();
    AskForReports(now);
    UpdateSafeMode(now);
    if (MayRepair(state_, now)) PlanRepair(now);
    if (state_.is_safe_by_hand || state_.is_disk_low) return {};
  }
  RETURN_IF_ERROR(RestoreStep());
  RETURN_IF_ERROR(ServiceStep());
  RETURN_IF_ERROR(ExpireStep());
  RETURN_IF_ERROR(CountStep());
  RETURN_IF_ERROR(TrashStep());
  RETURN_IF_ERROR(MergeStep());
  RETURN_IF_ERROR(ReapStep());
  RETURN_IF_ERROR(CollectStep());
  return ForgetStep();
}

}  // namespace slipstream::dfs::master
