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

NodeReport ToNodeReport(const v1::NodeReport& in) {
  return {.node = ToNodeAddress(in.node()),
          .state = ToNodeState(in.state()),
          .capacity_bytes = in.capacity_bytes(),
          .used_bytes = in.used_bytes(),
          .free_bytes = in.free_bytes(),
          .replica_count = in.replica_count(),
          .active_writes = in.active_writes(),
          .last_heartbeat_ms = in.last_heartbeat_ms(),
          .failure_domain = in.failure_domain(),
          .admin_address = in.admin_address()};
}

void FromAppend(const FileAppend& in, const NewFile& new_file, v1::FileAppend* out) {
  if (const auto* inode_id = std::get_if<uint64_t>(&in.target)) {
    out->set_inode_id(*inode_id);
  } else {
    out->set_new_path(std::get<std::string>(in.target));
    out->set_file_owner(new_file.owner);
    out->set_file_group(new_file.group);
    out->set_mode(new_file.mode);
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
  return {.name = in.name(),
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
          .child_count = in.child_count()};
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
                     .open_files = in.open_files()};
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
                   .version = in.version()};
  for (const v1::NodeReport& node : in.nodes())
    out.nodes.push_back(ToNodeReport(node));
  return out;
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
