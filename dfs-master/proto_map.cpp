#include "dfs-master/proto_map.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace slipstream::dfs::master {
namespace {

v1::CheckedReplica::State StateOf(ReplicaState state) {
  switch (state) {
    case ReplicaState::kLive:
      return v1::CheckedReplica::STATE_LIVE;
    case ReplicaState::kStaleNode:
      return v1::CheckedReplica::STATE_STALE_NODE;
    case ReplicaState::kUnconfirmed:
      return v1::CheckedReplica::STATE_UNCONFIRMED;
    case ReplicaState::kCorrupt:
      return v1::CheckedReplica::STATE_CORRUPT;
    case ReplicaState::kDecommissioning:
      return v1::CheckedReplica::STATE_DECOMMISSIONING;
    case ReplicaState::kDecommissioned:
      return v1::CheckedReplica::STATE_DECOMMISSIONED;
    case ReplicaState::kInMaintenance:
      return v1::CheckedReplica::STATE_IN_MAINTENANCE;
  }
  return v1::CheckedReplica::STATE_UNSPECIFIED;
}

void ToProto(const NodeAddress& address, v1::NodeAddress& out) {
  out.set_node_id(address.node_id);
  out.set_address(address.address);
}

void ToProto(const Block& block, v1::Block& out) {
  out.set_block_id(block.id);
  out.set_raw_bytes(block.raw_bytes);
  out.set_stored_bytes(block.stored_bytes);
  out.set_crc32c(block.crc32c);
}

void ToProto(const LocatedBlock& block, v1::LocatedBlock& out) {
  ToProto(block.block, *out.mutable_block());
  out.set_length_bytes(block.length_bytes);
  for (const NodeAddress& node : block.nodes)
    ToProto(node, *out.add_nodes());
  for (const std::string& node_id : block.missing_node_ids)
    out.add_missing_node_ids(node_id);
}

void ToProto(const CheckedFile& file, v1::CheckedFile& out) {
  out.set_path(file.path);
  master::ToProto(file.status, *out.mutable_status());
  out.set_under_replicated_blocks(file.under_replicated_blocks);
  out.set_missing_blocks(file.missing_blocks);
  out.set_corrupt_blocks(file.corrupt_blocks);
  out.set_missing_bytes(file.missing_bytes);
  for (const CheckedBlock& block : file.blocks) {
    v1::CheckedBlock& checked = *out.add_blocks();
    ToProto(block.located, *checked.mutable_located());
    checked.set_wanted(block.wanted);
    checked.set_good(block.tally.in_service);
    checked.set_corrupt(block.tally.bad);
    // Those in maintenance that are dead are neither in service nor to be read.
    checked.set_leaving(block.tally.good - block.tally.in_service);
    for (const ReplicaReport& replica : block.replicas) {
      v1::CheckedReplica& report = *checked.add_replicas();
      report.mutable_node()->set_node_id(replica.node.node_id);
      report.mutable_node()->set_address(replica.node.address);
      report.set_host(replica.host);
      report.set_rack(replica.rack);
      report.set_state(StateOf(replica.state));
    }
  }
}

void ToProto(const EpochPair& pair, v1::EpochPair& out) {
  out.set_epoch(pair.epoch);
  out.set_incarnation(pair.incarnation);
}

void ToProto(const NodeReport& report, v1::NodeReport& out) {
  const Node& node = report.node;
  out.mutable_node()->set_node_id(node.registration.node_id);
  out.mutable_node()->set_address(node.registration.address);
  switch (node.state) {
    case NodeState::kLive:
      out.set_state(v1::NODE_STATE_LIVE);
      break;
    case NodeState::kStale:
      out.set_state(v1::NODE_STATE_STALE);
      break;
    case NodeState::kDead:
      out.set_state(v1::NODE_STATE_DEAD);
      break;
  }
  out.set_capacity_bytes(node.load.capacity_bytes);
  out.set_used_bytes(node.load.used_bytes);
  out.set_free_bytes(node.load.free_bytes);
  out.set_replica_count(report.replica_count);
  out.set_active_writes(node.load.active_writes);
  out.set_last_heartbeat_ms(node.seen_at_ms);
  out.set_failure_domain(node.failure_domain());
  out.set_admin_address(node.registration.admin_address);
  static_assert(static_cast<int>(NodeService::kMaintenance) == v1::NODE_SERVICE_MAINTENANCE);
  out.set_service(static_cast<v1::NodeService>(node.service));
  out.set_maintenance_until_ms(node.maintenance_until_ms);
  out.set_blocks_to_move(report.blocks_to_move);
  for (const DiskReport& disk : node.load.disks) {
    v1::DiskReport& disk_out = *out.add_disks();
    disk_out.set_path(disk.path);
    disk_out.set_capacity_bytes(disk.capacity_bytes);
    disk_out.set_used_bytes(disk.used_bytes);
    disk_out.set_free_bytes(disk.free_bytes);
    disk_out.set_failure(disk.failure);
  }
  out.set_rack(node.rack());
  out.set_last_report_ms(node.reported_at_ms);
  out.set_version(node.registration.version);
  out.set_host(node.host());
}

Result<FileAppend> FileFromProto(const v1::FileAppend& in) {
  FileAppend file;
  file.inode = in.inode_id();
  file.new_path = in.new_path();
  file.expected_length_bytes = in.expected_length_bytes();
  file.is_closing = in.close();
  file.is_replacing = in.replace();
  file.attributes = {.owner = in.file_owner(), .group = in.file_group(), .mode = in.mode()};
  file.replication = in.replication();
  file.blocks.reserve(static_cast<size_t>(in.blocks_size()));
  for (const v1::PreparedBlock& prepared : in.blocks()) {
    ASSIGN_OR_RETURN(Block block, master::FromProto(prepared.block()));
    file.blocks.push_back({.block = block,
                           .holder_node_ids = {prepared.holder_node_ids().begin(),
                                               prepared.holder_node_ids().end()}});
  }
  return file;
}

}  // namespace

Result<Block> FromProto(const v1::Block& block) {
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  if (block.raw_bytes() > kMax || block.stored_bytes() > kMax) {
    return InvalidArgument("block id=" + std::to_string(block.block_id()) +
                           " has an impossible length");
  }
  return Block{.id = block.block_id(),
               .raw_bytes = static_cast<uint32_t>(block.raw_bytes()),
               .stored_bytes = static_cast<uint32_t>(block.stored_bytes()),
               .crc32c = block.crc32c()};
}

EpochPair FromProto(const v1::EpochPair& pair) {
  return {.epoch = pair.epoch(), .incarnation = pair.incarnation()};
}

Result<std::vector<EpochAppend>> FromProto(const v1::PrepareRequest& request) {
  std::vector<EpochAppend> epochs;
  epochs.reserve(static_cast<size_t>(request.appenders_size()));
  for (const v1::AppenderEpoch& in : request.appenders()) {
    EpochAppend epoch{.owner = in.owner(),
                      .incarnation = in.incarnation(),
                      .epoch = in.epoch(),
                      .committed = FromProto(in.committed()),
                      .files = {}};
    for (const v1::FileAppend& file_in : in.files()) {
      ASSIGN_OR_RETURN(FileAppend file, FileFromProto(file_in));
      epoch.files.push_back(std::move(file));
    }
    epochs.push_back(std::move(epoch));
  }
  return epochs;
}

std::vector<EpochCommit> FromProto(const v1::CommitRequest& request) {
  std::vector<EpochCommit> commits;
  for (const v1::CommitRequest::Appender& in : request.appenders()) {
    commits.push_back({.owner = in.owner(), .pair = FromProto(in.pair())});
  }
  return commits;
}

Result<std::vector<ReplicaChange>> FromProto(const v1::HeartbeatRequest& request) {
  std::vector<ReplicaChange> changes;
  changes.reserve(static_cast<size_t>(request.changes_size()));
  for (const v1::ReplicaChange& in : request.changes()) {
    ReplicaChange change{.sequence = in.sequence()};
    switch (in.change_case()) {
      case v1::ReplicaChange::kAdded: {
        change.kind = ReplicaChange::Kind::kAdded;
        ASSIGN_OR_RETURN(change.block, FromProto(in.added().block()));
        break;
      }
      case v1::ReplicaChange::kRemovedBlockId:
        change.kind = ReplicaChange::Kind::kRemoved;
        change.block.id = in.removed_block_id();
        break;
      case v1::ReplicaChange::kCorruptBlockId:
        change.kind = ReplicaChange::Kind::kCorrupt;
        change.block.id = in.corrupt_block_id();
        break;
      case v1::ReplicaChange::CHANGE_NOT_SET:
        return InvalidArgument("heartbeat: a change without content");
    }
    changes.push_back(change);
  }
  return changes;
}

void ToProto(const FileStatus& status, v1::FileStatus& out) {
  out.set_name(status.name);
  out.set_inode_id(status.id);
  out.set_kind(status.kind == FileKind::kFile ? v1::FILE_KIND_FILE : v1::FILE_KIND_DIRECTORY);
  out.set_length_bytes(status.length_bytes);
  out.set_stored_bytes(status.stored_bytes);
  out.set_block_count(status.block_count);
  out.set_replication(status.replication);
  out.set_modified_at_ms(status.modified_at_ms);
  out.set_owner(status.owner);
  out.set_group(status.group);
  out.set_mode(status.mode);
  out.set_writer(status.writer);
  out.set_child_count(status.child_count);
  out.set_accessed_at_ms(status.accessed_at_ms);
  out.set_truncation_count(status.truncation_count);
  if (!status.quota.has_value()) return;
  v1::Quota& quota = *out.mutable_quota();
  quota.set_names_max(status.quota->names_max);
  quota.set_space_max_bytes(status.quota->space_max_bytes);
  // While they are being counted sums may be below what has gone since.
  quota.set_names(static_cast<uint64_t>(std::max<int64_t>(status.quota->used.names, 0)));
  quota.set_space_bytes(
      static_cast<uint64_t>(std::max<int64_t>(status.quota->used.space_bytes, 0)));
  quota.set_is_counting(status.quota->is_counting);
}

void ToProto(const LocatedRange& range, v1::LocateBlocksResponse& out) {
  ToProto(range.status, *out.mutable_status());
  out.set_first_block_offset_bytes(range.first_block_offset_bytes);
  for (const LocatedBlock& block : range.blocks)
    ToProto(block, *out.add_blocks());
}

void ToProto(const BlockAllocation& allocation, v1::AllocateBlocksResponse& out) {
  out.set_first_block_id(allocation.ids.first);
  for (const NodeAddress& node : allocation.nodes)
    ToProto(node, *out.add_nodes());
}

void ToProto(const AcquireResult& result, v1::AcquireAppenderResponse& out) {
  out.set_incarnation(result.incarnation);
  ToProto(result.committed, *out.mutable_committed());
  for (const EpochPair& pair : result.prepared)
    ToProto(pair, *out.add_prepared());
}

void ToProto(const PrepareResult& result, v1::PrepareResponse& out) {
  for (const PrepareResult::Appender& appender : result.appenders) {
    v1::PrepareResponse::Appender& answer = *out.add_appenders();
    for (InodeId inode : appender.inodes)
      answer.add_inode_ids(inode);
    for (uint32_t index : appender.lost_files)
      answer.add_lost_files(index);
  }
}

void ToProto(const std::vector<AppenderStatus>& appenders, v1::ListAppendersResponse& out) {
  for (const AppenderStatus& appender : appenders) {
    v1::ListAppendersResponse::Appender& status = *out.add_appenders();
    status.set_owner(appender.owner);
    status.set_incarnation(appender.incarnation);
    ToProto(appender.committed, *status.mutable_committed());
    for (const EpochPair& pair : appender.prepared)
      ToProto(pair, *status.add_prepared());
    status.set_prepared_since_ms(appender.prepared_since_ms);
    status.set_open_files(appender.open_files);
    status.set_lease_ms(static_cast<uint32_t>(appender.lease.count()));
    ToProto(appender.claimed, *status.mutable_claimed());
  }
}

void ToProto(const HeartbeatAnswer& answer, v1::HeartbeatResponse& out) {
  out.set_log_position(answer.log_position);
  out.set_acknowledged_sequence(answer.acknowledged_sequence);
  if (answer.wants_full_report) out.add_commands()->mutable_send_full_report();
  for (const HeartbeatAnswer::Command& command : answer.commands) {
    v1::NodeCommand& proto = *out.add_commands();
    switch (command.command.kind) {
      case NodeCommand::Kind::kCopy:
        ToProto(command.command.block, *proto.mutable_copy()->mutable_block());
        ToProto(command.target, *proto.mutable_copy()->mutable_target());
        break;
      case NodeCommand::Kind::kDelete:
        proto.mutable_delete_()->set_block_id(command.command.block.id);
        break;
      case NodeCommand::Kind::kVerify:
        proto.mutable_verify()->set_block_id(command.command.block.id);
        break;
      case NodeCommand::Kind::kReport:
        proto.mutable_send_full_report();
        break;
    }
  }
  if (!answer.merge.has_value()) return;
  v1::NodeCommand::MergeBlocks& merge = *out.add_commands()->mutable_merge();
  merge.set_block_id(answer.merge->block_id);
  for (const LocatedBlock& source : answer.merge->sources)
    ToProto(source, *merge.add_sources());
  for (const NodeAddress& node : answer.merge->next)
    ToProto(node, *merge.add_next());
}

void ToProto(const CheckPage& page, v1::CheckFilesResponse& out) {
  for (const CheckedFile& file : page.files)
    ToProto(file, *out.add_files());
  out.set_next_cursor(page.next_cursor);
  out.set_file_count(page.file_count);
  out.set_directory_count(page.directory_count);
  out.set_closed_directory_count(page.closed_directory_count);
  out.set_block_count(page.block_count);
  out.set_raw_bytes(page.raw_bytes);
  out.set_under_replicated_blocks(page.under_replicated_blocks);
  out.set_over_replicated_blocks(page.over_replicated_blocks);
  out.set_missing_blocks(page.missing_blocks);
  out.set_corrupt_blocks(page.corrupt_blocks);
  out.set_good_replicas(page.good_replicas);
  out.set_wanted_replicas(page.wanted_replicas);
}

void ToProto(const BalanceStatus& status, v1::BalanceStatus& out) {
  out.set_is_running(status.is_running);
  out.set_threshold_percent(status.threshold_percent);
  out.set_bytes_moved(status.bytes_moved);
  out.set_bytes_left(status.bytes_left);
  out.set_blocks_moved(status.blocks_moved);
  out.set_spread_percent(status.spread_percent);
}

void ToProto(const ClusterState& state, v1::GetClusterStateResponse& out) {
  out.set_in_safe_mode(!state.safe_mode_reason.empty());
  out.set_safe_mode_reason(state.safe_mode_reason);
  out.set_safe_mode_by_hand(state.is_safe_by_hand);
  for (const NodeReport& report : state.nodes)
    ToProto(report, *out.add_nodes());
  out.set_file_count(state.totals.files);
  out.set_directory_count(state.totals.directories);
  out.set_block_count(state.totals.blocks);
  out.set_raw_bytes(state.totals.raw_bytes);
  out.set_stored_bytes(state.totals.stored_bytes);
  out.set_under_replicated_blocks(state.blocks.under_replicated);
  out.set_missing_blocks(state.blocks.missing);
  out.set_corrupt_replicas(state.blocks.bad_replicas);
  out.set_pending_repairs(state.pending_repairs);
  out.set_default_replication(state.replication);
  out.set_pending_deletions(state.pending_deletions);
  ToProto(state.balance, *out.mutable_balance());
}

void ToProto(const RestoreStatus& status, v1::RestoreResponse& out) {
  switch (status.phase) {
    case RestorePhase::kNone:
      out.set_phase(v1::RestoreResponse::PHASE_NONE);
      break;
    case RestorePhase::kRestored:  // ends with the opening
    case RestorePhase::kWaiting:
      out.set_phase(v1::RestoreResponse::PHASE_WAITING);
      break;
    case RestorePhase::kKeeping:
      out.set_phase(v1::RestoreResponse::PHASE_KEEPING);
      break;
    case RestorePhase::kSettled:
      out.set_phase(v1::RestoreResponse::PHASE_SETTLED);
      break;
  }
  out.set_backup_position(status.backup_position);
  for (const std::string& node_id : status.missing_node_ids)
    out.add_missing_node_ids(node_id);
  out.set_unknown_replicas(status.unknown_replicas);
  out.set_writers_ahead(status.writers_ahead);
}

}  // namespace slipstream::dfs::master
