#include "tests/simulation/inspector.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

#include "common/crc32c/crc32c.h"
#include "dfs-client/dfs_client.h"
#include "dfs-master/key_value_store.h"

namespace slipstream::simulation {

using dfs::master::Block;
using dfs::master::FileBlock;
using dfs::master::Table;

namespace {

constexpr std::chrono::milliseconds kReadTimeout{10'000};

// Tables that are empty when nobody writes.
constexpr std::pair<Table, const char*> kPassing[] = {{Table::kPrepared, "candidates"},
                                                      {Table::kReservations, "reservations"},
                                                      {Table::kOpenFiles, "open files"},
                                                      {Table::kOrphans, "orphans"}};

Status DescribeFile(dfs::DfsClient& client,
                    const std::string& path,
                    std::vector<std::string>& lines) {
  uint64_t offset = 0;
  while (true) {
    ASSIGN_OR_RETURN(dfs::FileBlocks located, client.LocateBlocks(path, offset));
    for (const dfs::LocatedBlock& block : located.blocks) {
      // How many have it, and not who: a node that was slow to come back (a report of it was under
      // way when the master lost its power) has had its blocks copied elsewhere.
      lines.push_back(fmt::format("block {} crc={:08x} stored={} raw={} length={} on {} nodes",
                                  block.block.block_id,
                                  block.block.crc32c,
                                  block.block.stored_bytes,
                                  block.block.raw_bytes,
                                  block.length_bytes,
                                  block.nodes.size()));
      offset += block.length_bytes;
    }
    if (located.blocks.empty() || offset >= located.status.length_bytes) return {};
  }
}

// What lies in a directory and below it, itself included.
struct Sums {
  uint64_t files = 0;
  uint64_t directories = 1;
  uint64_t blocks = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t space_bytes = 0;  // of all replicas wanted

  void Add(const Sums& more) {
    files += more.files;
    directories += more.directories;
    blocks += more.blocks;
    raw_bytes += more.raw_bytes;
    stored_bytes += more.stored_bytes;
    space_bytes += more.space_bytes;
  }
  void Add(const dfs::FileStatus& file) {
    Add({.files = 1,
         .directories = 0,
         .blocks = file.block_count,
         .raw_bytes = file.length_bytes,
         .stored_bytes = file.stored_bytes,
         .space_bytes = file.stored_bytes * file.replication});
  }
};

// The sums that are kept of a directory are those of what is there.
Status CheckQuota(const std::string& path, const dfs::Quota& quota, const Sums& sums) {
  if (quota.names == sums.files + sums.directories && quota.space_bytes == sums.space_bytes) {
    return {};
  }
  return Internal(fmt::format("{} has {} names and {} bytes, and its quota counts {} and {}",
                              path,
                              sums.files + sums.directories,
                              sums.space_bytes,
                              quota.names,
                              quota.space_bytes));
}

Result<Sums> DescribeTree(dfs::DfsClient& client,
                          const std::string& path,
                          std::vector<std::string>& lines) {
  Sums sums;
  ASSIGN_OR_RETURN(std::vector<dfs::FileStatus> entries, client.ListAll(path));
  for (const dfs::FileStatus& entry : entries) {
    const std::string below = (path == "/" ? "" : path) + "/" + entry.name;
    lines.push_back(fmt::format(
        "{} inode={} length={} stored={} blocks={} replication={} modified={} writer={} owner={} "
        "mode={:o}",
        below,
        entry.inode_id,
        entry.length_bytes,
        entry.stored_bytes,
        entry.block_count,
        entry.replication,
        entry.modified_at_ms,
        entry.writer,
        entry.owner,
        entry.mode));
    if (entry.quota.has_value()) {
      const dfs::Quota& quota = *entry.quota;
      lines.push_back(fmt::format("quota {} of {} names, {} of {} bytes",
                                  quota.names,
                                  quota.names_max,
                                  quota.space_bytes,
                                  quota.space_max_bytes));
    }
    if (entry.kind == dfs::FileKind::kDirectory) {
      ASSIGN_OR_RETURN(const Sums inner, DescribeTree(client, below, lines));
      if (entry.quota.has_value()) RETURN_IF_ERROR(CheckQuota(below, *entry.quota, inner));
      sums.Add(inner);
    } else {
      if (entry.length_bytes > 0) RETURN_IF_ERROR(DescribeFile(client, below, lines));
      sums.Add(entry);
    }
  }
  return sums;
}

Status NotYet(const std::string& what) {
  return Unavailable(what);
}

}  // namespace

Result<Inspector::Blocks> Inspector::CommittedBlocks() {
  Blocks blocks;
  Status damage;
  RETURN_IF_ERROR(cluster_.master().store().contents().Scan(
      Table::kFileBlocks, "", "", [&](std::string_view, std::string_view value) {
        FileBlock entry;
        damage = Decode(value, entry);
        if (damage.ok() && !blocks.emplace(entry.block.id, entry).second) {
          damage = Internal(fmt::format("block {} stands in two places", entry.block.id));
        }
        return damage.ok();
      }));
  RETURN_IF_ERROR(damage);
  return blocks;
}

Status Inspector::CheckTables() {
  for (const auto& [table, name] : kPassing) {
    size_t count = 0;
    RETURN_IF_ERROR(cluster_.master().store().contents().Scan(
        table, "", "", [&](std::string_view, std::string_view) {
          ++count;
          return true;
        }));
    if (count != 0) return NotYet(fmt::format("the master has {} {}", count, name));
  }
  return {};
}

Status Inspector::CheckDisk(NodeMachine& machine, const Blocks& blocks) {
  datanode::ReplicaStore& store = machine.node()->store();
  for (const block::Identity& replica : store.List().replicas) {
    auto wanted = blocks.find(replica.block_id);
    if (wanted == blocks.end()) {
      return NotYet(fmt::format("{} has block {} of nobody's", machine.host(), replica.block_id));
    }
    const Block& block = wanted->second.block;
    if (replica.raw_bytes != block.raw_bytes || replica.stored_bytes != block.stored_bytes ||
        replica.crc32c != block.crc32c) {
      return NotYet(fmt::format("{} has another block {}", machine.host(), replica.block_id));
    }
  }
  ASSIGN_OR_RETURN(datanode::ReplicaStore::Usage usage, store.GetUsage());
  if (usage.parked_count != 0) {
    return NotYet(fmt::format("{} has {} parked replicas", machine.host(), usage.parked_count));
  }
  for (const auto& disk : machine.disks()) {
    for (const std::string& path : disk->contents().Paths()) {
      if (path.ends_with(".tmp")) return NotYet(machine.host() + " has " + path);
    }
  }
  return {};
}

Status Inspector::CheckQuiet() {
  if (!cluster_.is_up()) return NotYet("not all machines are up");
  ASSIGN_OR_RETURN(const Blocks blocks, CommittedBlocks());
  RETURN_IF_ERROR(CheckTables());
  std::map<uint64_t, size_t> replicas;
  for (auto& machine : cluster_.nodes()) {
    if (!machine->node()->session().has_master()) return NotYet(machine->host() + " has no master");
    RETURN_IF_ERROR(CheckDisk(*machine, blocks));
    for (const block::Identity& replica : machine->node()->store().List().replicas)
      ++replicas[replica.block_id];
  }
  for (const auto& [id, entry] : blocks) {
    const size_t wanted = std::min<size_t>(entry.replication, cluster_.nodes().size());
    if (replicas[id] != wanted) {
      return NotYet(fmt::format("block {} has {} replicas, wants {}", id, replicas[id], wanted));
    }
  }
  return {};
}

Status Inspector::VerifyReplica(rpc::Transport& transport,
                                NodeMachine& machine,
                                const Block& block) {
  dfs::v1::ReadBlockRequest request;
  request.mutable_block()->set_block_id(block.id);
  request.mutable_block()->set_raw_bytes(block.raw_bytes);
  request.mutable_block()->set_stored_bytes(block.stored_bytes);
  request.mutable_block()->set_crc32c(block.crc32c);
  request.set_token(machine.node()->tokens().Issue({.first = block.id}));
  auto stream =
      transport.Connect(machine.address())
          ->OpenResponseStream(
              "/slipstream.dfs.v1.DfsDatanode/ReadBlock", request, {.timeout = kReadTimeout});
  uint32_t crc = 0;
  uint64_t stored_bytes = 0;
  dfs::v1::ReadBlockResponse response;
  while (stream->Receive(response)) {
    crc = ExtendCrc32c(crc, response.data());
    stored_bytes += response.data().size();
  }
  const std::string where = fmt::format("block {} on {}", block.id, machine.host());
  if (Status status = stream->Finish(); !status.ok()) return status.WithContext(where);
  if (stored_bytes != block.stored_bytes || crc != block.crc32c) {
    return DataLoss(where + " is not what was committed");
  }
  return {};
}

Status Inspector::VerifyReplicas() {
  ASSIGN_OR_RETURN(const Blocks blocks, CommittedBlocks());
  Process process(stage_.scheduler(), "inspector", Micros(0));
  auto transport = stage_.network().TransportOf(process, "inspector");
  for (auto& machine : cluster_.nodes()) {
    for (const block::Identity& replica : machine->node()->store().List().replicas) {
      auto wanted = blocks.find(replica.block_id);
      if (wanted == blocks.end()) continue;
      RETURN_IF_ERROR(VerifyReplica(*transport, *machine, wanted->second.block));
    }
  }
  return {};
}

Result<std::vector<std::string>> Inspector::DescribeState() {
  Process process(stage_.scheduler(), "inspector", Micros(0));
  auto client = stage_.Connect(process, "inspector");
  std::vector<std::string> lines;
  ASSIGN_OR_RETURN(const Sums sums, DescribeTree(*client, "/", lines));
  ASSIGN_OR_RETURN(dfs::ClusterState state, client->GetClusterState());
  if (state.is_in_safe_mode) return NotYet("safe mode: " + state.safe_mode_reason);
  if (state.under_replicated_blocks + state.missing_blocks + state.corrupt_replicas != 0) {
    return NotYet(
        fmt::format("the master counts {} blocks with too few replicas, {} with none, "
                    "and {} bad replicas",
                    state.under_replicated_blocks,
                    state.missing_blocks,
                    state.corrupt_replicas));
  }
  if (state.file_count != sums.files || state.directory_count != sums.directories ||
      state.block_count != sums.blocks || state.raw_bytes != sums.raw_bytes ||
      state.stored_bytes != sums.stored_bytes) {
    return Internal("the master's totals are not those of the tree");
  }
  lines.push_back(fmt::format("files={} directories={} blocks={} raw={} stored={}",
                              state.file_count,
                              state.directory_count,
                              state.block_count,
                              state.raw_bytes,
                              state.stored_bytes));
  return lines;
}

}  // namespace slipstream::simulation
