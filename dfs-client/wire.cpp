#include "dfs-client/wire.h"

namespace slipstream::dfs::wire {
namespace {

NodeState ToNodeState(v1::NodeState in) {
  switch (in) {
    case v1::NODE_STATE_LIVE:
      return NodeState::kLive;
    case v1::NODE_STATE_STALE:
      return NodeState::kStale;
    default:
      return NodeState::kDead;
  }
}

NodeService ToNodeService(v1::NodeService in) {
  switch (in) {
    case v1::NODE_SERVICE_DECOMMISSIONING:
      return NodeService::kDecommissioning;
    case v1::NODE_SERVICE_DECOMMISSIONED:
      return NodeService::kDecommissioned;
    case v1::NODE_SERVICE_MAINTENANCE:
      return NodeService::kMaintenance;
    default:
      return NodeService::kInService;
  }
}

DiskReport ToDiskReport(const v1::DiskReport& in) {
  return {.path = in.path(),
          .capacity_bytes = in.capacity_bytes(),
          .used_bytes = in.used_bytes(),
          .free_bytes = in.free_bytes(),
          .failure = in.failure()};
}

NodeReport ToNodeReport(const v1::NodeReport& in) {
  NodeReport out{.node = ToNodeAddress(in.node()),
                 .state = ToNodeState(in.state()),
                 .capacity_bytes = in.capacity_bytes(),
                 .used_bytes = in.used_bytes(),
                 .free_bytes = in.free_bytes(),
                 .replica_count = in.replica_count(),
                 .active_writes = in.active_writes(),
                 .last_heartbeat_ms = in.last_heartbeat_ms(),
                 .failure_domain = in.failure_domain(),
                 .admin_address = in.admin_address(),
                 .service = ToNodeService(in.service()),
                 .maintenance_until_ms = in.maintenance_until_ms(),
                 .blocks_to_move = in.blocks_to_move(),
                 .rack = in.rack(),
                 .last_report_ms = in.last_report_ms(),
                 .version = in.version(),
                 .host = in.host()};
  for (const v1::DiskReport& disk : in.disks())
    out.disks.push_back(ToDiskReport(disk));
  return out;
}

ReplicaState ToReplicaState(v1::CheckedReplica::State in) {
  switch (in) {
    case v1::CheckedReplica::STATE_STALE_NODE:
      return ReplicaState::kStaleNode;
    case v1::CheckedReplica::STATE_UNCONFIRMED:
      return ReplicaState::kUnconfirmed;
    case v1::CheckedReplica::STATE_CORRUPT:
      return ReplicaState::kCorrupt;
    case v1::CheckedReplica::STATE_DECOMMISSIONING:
      return ReplicaState::kDecommissioning;
    case v1::CheckedReplica::STATE_DECOMMISSIONED:
      return ReplicaState::kDecommissioned;
    case v1::CheckedReplica::STATE_IN_MAINTENANCE:
      return ReplicaState::kInMaintenance;
    default:
      return ReplicaState::kLive;
  }
}

CheckedReplica ToCheckedReplica(const v1::CheckedReplica& in) {
  return {.node = {.node_id = in.node().node_id(), .address = in.node().address()},
          .host = in.host(),
          .rack = in.rack(),
          .state = ToReplicaState(in.state())};
}

CheckedFile ToCheckedFile(const v1::CheckedFile& in) {
  CheckedFile out{.path = in.path(),
                  .status = ToFileStatus(in.status()),
                  .under_replicated_blocks = in.under_replicated_blocks(),
                  .missing_blocks = in.missing_blocks(),
                  .corrupt_blocks = in.corrupt_blocks(),
                  .missing_bytes = in.missing_bytes()};
  for (const v1::CheckedBlock& block : in.blocks()) {
    CheckedBlock& checked = out.blocks.emplace_back();
    checked = {.located = ToLocatedBlock(block.located()),
               .wanted = block.wanted(),
               .good = block.good(),
               .corrupt = block.corrupt(),
               .leaving = block.leaving()};
    for (const v1::CheckedReplica& replica : block.replicas())
      checked.replicas.push_back(ToCheckedReplica(replica));
  }
  return out;
}

void FromAppend(const FileAppend& in, const NewFile& new_file, v1::FileAppend* out) {
  if (const auto* inode_id = std::get_if<uint64_t>(&in.target)) {
    out->set_inode_id(*inode_id);
  } else {
    out->set_new_path(std::get<std::string>(in.target));
    out->set_file_owner(new_file.owner);
    out->set_file_group(new_file.group);
    out->set_mode(in.mode);
    out->set_replication(in.replication);
  }
  out->set_expected_length_bytes(in.expected_length_bytes);
  out->set_close(in.close);
  out->set_replace(in.replace);
  for (const DurableBlock& block : in.blocks) {
    v1::PreparedBlock* prepared = out->add_blocks();
    FromBlock(block.block, prepared->mutable_block());
    for (const std::string& node_id : block.holder_node_ids)
      prepared->add_holder_node_ids(node_id);
  }
}

}  // namespace

FileStatus ToFileStatus(const v1::FileStatus& in) {
  FileStatus out{
      .name = in.name(),
      .inode_id = in.inode_id(),
      .kind = in.kind() == v1::FILE_KIND_DIRECTORY ? FileKind::kDirectory : FileKind::kFile,
      .length_bytes = in.length_bytes(),
      .stored_bytes = in.stored_bytes(),
      .block_count = in.block_count(),
      .replication = in.replication(),
      .modified_at_ms = in.modified_at_ms(),
      .owner = in.owner(),
      .group = in.group(),
      .mode = in.mode(),
      .writer = in.writer(),
      .child_count = in.child_count(),
      .accessed_at_ms = in.accessed_at_ms(),
      .quota = std::nullopt,
      .truncation_count = in.truncation_count()};
  if (in.has_quota()) {
    out.quota = Quota{.names_max = in.quota().names_max(),
                      .space_max_bytes = in.quota().space_max_bytes(),
                      .names = in.quota().names(),
                      .space_bytes = in.quota().space_bytes()};
  }
  return out;
}

Result<FileStatus> ToStatResult(const v1::StatBatchResponse::Entry& in, const std::string& path) {
  if (in.error_code() == 0) return ToFileStatus(in.status());
  if (in.error_code() > static_cast<uint32_t>(Code::kUnauthenticated)) {
    return Status(Code::kUnknown, path);
  }
  return Status(static_cast<Code>(in.error_code()), path);
}

Block ToBlock(const v1::Block& in) {
  return {.block_id = in.block_id(),
          .raw_bytes = in.raw_bytes(),
          .stored_bytes = in.stored_bytes(),
          .crc32c = in.crc32c()};
}

void FromBlock(const Block& in, v1::Block* out) {
  out->set_block_id(in.block_id);
  out->set_raw_bytes(in.raw_bytes);
  out->set_stored_bytes(in.stored_bytes);
  out->set_crc32c(in.crc32c);
}

NodeAddress ToNodeAddress(const v1::NodeAddress& in) {
  return {.node_id = in.node_id(), .address = in.address()};
}

LocatedBlock ToLocatedBlock(const v1::LocatedBlock& in) {
  LocatedBlock out{.block = ToBlock(in.block())};
  for (const v1::NodeAddress& node : in.nodes())
    out.nodes.push_back(ToNodeAddress(node));
  out.missing_node_ids.assign(in.missing_node_ids().begin(), in.missing_node_ids().end());
  // A master that does not say means all of the block.
  const bool is_cut = in.length_bytes() != 0 && in.length_bytes() < out.block.raw_bytes;
  out.length_bytes = is_cut ? in.length_bytes() : out.block.raw_bytes;
  out.token = in.token();
  return out;
}

FileBlocks ToFileBlocks(const v1::LocateBlocksResponse& in) {
  FileBlocks out{.status = ToFileStatus(in.status()),
                 .first_block_offset_bytes = in.first_block_offset_bytes()};
  out.blocks.reserve(static_cast<size_t>(in.blocks_size()));
  for (const v1::LocatedBlock& block : in.blocks())
    out.blocks.push_back(ToLocatedBlock(block));
  return out;
}

EpochPair ToEpochPair(const v1::EpochPair& in) {
  return {.epoch = in.epoch(), .incarnation = in.incarnation()};
}

AppenderReport ToAppenderReport(const v1::ListAppendersResponse::Appender& in) {
  AppenderReport out{.owner = in.owner(),
                     .incarnation = in.incarnation(),
                     .committed = ToEpochPair(in.committed()),
                     .prepared_since_ms = in.prepared_since_ms(),
                     .open_files = in.open_files(),
                     .lease = std::chrono::milliseconds(in.lease_ms()),
                     .claimed = ToEpochPair(in.claimed())};
  for (const v1::EpochPair& pair : in.prepared())
    out.prepared.push_back(ToEpochPair(pair));
  return out;
}

ClusterState ToClusterState(const v1::GetClusterStateResponse& in) {
  ClusterState out{.is_in_safe_mode = in.in_safe_mode(),
                   .safe_mode_reason = in.safe_mode_reason(),
                   .file_count = in.file_count(),
                   .directory_count = in.directory_count(),
                   .block_count = in.block_count(),
                   .raw_bytes = in.raw_bytes(),
                   .stored_bytes = in.stored_bytes(),
                   .under_replicated_blocks = in.under_replicated_blocks(),
                   .missing_blocks = in.missing_blocks(),
                   .corrupt_replicas = in.corrupt_replicas(),
                   .pending_repairs = in.pending_repairs(),
                   .default_replication = in.default_replication(),
                   .version = in.version(),
                   .is_safe_mode_by_hand = in.safe_mode_by_hand(),
                   .located_blocks = in.located_blocks(),
                   .pending_deletions = in.pending_deletions(),
                   .balance = ToBalanceStatus(in.balance())};
  for (const v1::NodeReport& node : in.nodes())
    out.nodes.push_back(ToNodeReport(node));
  return out;
}

BalanceStatus ToBalanceStatus(const v1::BalanceStatus& in) {
  return {.is_running = in.is_running(),
          .threshold_percent = in.threshold_percent(),
          .bytes_moved = in.bytes_moved(),
          .bytes_left = in.bytes_left(),
          .blocks_moved = in.blocks_moved(),
          .spread_percent = in.spread_percent()};
}

FileCheckPage ToFileCheckPage(const v1::CheckFilesResponse& in) {
  FileCheckPage out{.next_cursor = in.next_cursor(),
                    .file_count = in.file_count(),
                    .directory_count = in.directory_count(),
                    .closed_directory_count = in.closed_directory_count(),
                    .block_count = in.block_count(),
                    .raw_bytes = in.raw_bytes(),
                    .under_replicated_blocks = in.under_replicated_blocks(),
                    .over_replicated_blocks = in.over_replicated_blocks(),
                    .missing_blocks = in.missing_blocks(),
                    .corrupt_blocks = in.corrupt_blocks(),
                    .good_replicas = in.good_replicas(),
                    .wanted_replicas = in.wanted_replicas()};
  out.files.reserve(static_cast<size_t>(in.files_size()));
  for (const v1::CheckedFile& file : in.files())
    out.files.push_back(ToCheckedFile(file));
  return out;
}

RestoreReport ToRestoreReport(const v1::RestoreResponse& in) {
  RestoreReport out{
      .backup_position = in.backup_position(),
      .missing_node_ids = {in.missing_node_ids().begin(), in.missing_node_ids().end()},
      .unknown_replicas = in.unknown_replicas(),
      .writers_ahead = in.writers_ahead()};
  if (in.phase() == v1::RestoreResponse::PHASE_WAITING) out.phase = RestorePhase::kWaiting;
  if (in.phase() == v1::RestoreResponse::PHASE_KEEPING) out.phase = RestorePhase::kKeeping;
  if (in.phase() == v1::RestoreResponse::PHASE_SETTLED) out.phase = RestorePhase::kSettled;
  return out;
}

v1::NodeService FromNodeService(NodeService in) {
  switch (in) {
    case NodeService::kInService:
      return v1::NODE_SERVICE_IN_SERVICE;
    case NodeService::kDecommissioning:
      return v1::NODE_SERVICE_DECOMMISSIONING;
    case NodeService::kDecommissioned:
      return v1::NODE_SERVICE_DECOMMISSIONED;
    case NodeService::kMaintenance:
      return v1::NODE_SERVICE_MAINTENANCE;
  }
  return v1::NODE_SERVICE_IN_SERVICE;
}

v1::BalanceRequest::Action FromBalanceAction(BalanceAction in) {
  switch (in) {
    case BalanceAction::kStatus:
      return v1::BalanceRequest::ACTION_STATUS;
    case BalanceAction::kStart:
      return v1::BalanceRequest::ACTION_START;
    case BalanceAction::kStop:
      return v1::BalanceRequest::ACTION_STOP;
  }
  return v1::BalanceRequest::ACTION_STATUS;
}

void FromEpoch(const AppenderEpoch& in, const NewFile& new_file, v1::AppenderEpoch* out) {
  out->set_owner(in.owner);
  out->set_incarnation(in.incarnation);
  out->set_epoch(in.epoch);
  out->mutable_committed()->set_epoch(in.committed.epoch);
  out->mutable_committed()->set_incarnation(in.committed.incarnation);
  for (const FileAppend& file : in.files)
    FromAppend(file, new_file, out->add_files());
}

}  // namespace slipstream::dfs::wire
