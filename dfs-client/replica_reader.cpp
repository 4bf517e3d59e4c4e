#include "dfs-client/replica_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/rpc/retry.h"
#include "dfs-client/master_client.h"
#include "dfs-client/notices.h"
#include "dfs-client/suspect_nodes.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;

// The replicas in the order to try them: the master's, which spreads readers over the nodes, but
// suspects come last.
std::vector<NodeAddress> OrderOf(const LocatedBlock& located,
                                 const SuspectNodes& suspects,
                                 SteadyTime now) {
  std::vector<NodeAddress> nodes = located.nodes;
  std::stable_partition(nodes.begin(), nodes.end(), [&](const NodeAddress& node) {
    return !suspects.Contains(node.node_id, now);
  });
  return nodes;
}

}  // namespace

ReplicaReader::ReplicaReader(Options options,
                             MasterClient& master,
                             NodeClient& nodes,
                             SuspectNodes& suspects,
                             Notices& notices)
    : options_(std::move(options)),
      master_(master),
      nodes_(nodes),
      suspects_(suspects),
      notices_(notices) {}

Result<std::string> ReplicaReader::Read(const Place& place,
                                        LocatedBlock& located,
                                        const NodeClient::Range& range,
                                        const std::stop_token& stop) {
  int bad_rounds = 0;
  bool is_first = true;
  Result<std::string> result = Unavailable("");
  const Status status =
      rpc::Retry({.timeout = options_.timeout,
                  .attempt_timeout_max = options_.timeout,  // attempts have bounds of their own
                  .seed = options_.seed,
                  .stop = stop,
                  .on_retry = [&](const Status& why) { notices_.Say("reading: " + why.message()); },
                  .clock = options_.clock,
                  .sleeper = options_.sleeper},
                 [&](milliseconds) -> Status {
                   if (stop.stop_requested()) return Cancelled("stopped");
                   if (!is_first) RETURN_IF_ERROR(Refresh(place, located));
                   is_first = false;
                   result = ReadAnyReplica(located, range, stop);
                   if (result.ok()) return {};
                   if (result.status().code() == Code::kDataLoss && ++bad_rounds == kBadRoundsMax) {
                     return result.status();
                   }
                   return Unavailable(result.status().message());
                 });
  if (status.ok()) return result;
  return status.WithContext(fmt::format("block {}", located.block.block_id));
}

Result<std::string> ReplicaReader::ReadAnyReplica(const LocatedBlock& located,
                                                  const NodeClient::Range& range,
                                                  const std::stop_token& stop) {
  if (located.nodes.empty()) {
    return Unavailable(
        located.missing_node_ids.empty()
            ? std::string("no datanode has reported a replica")
            : fmt::format("no live datanode has a replica; the last known holders are {}",
                          fmt::join(located.missing_node_ids, ", ")));
  }
  Status last;
  size_t bad = 0;
  for (const NodeAddress& node : OrderOf(located, suspects_, options_.clock->Now())) {
    auto raw = nodes_.ReadBlock(node, located.block, range, options_.attempt_timeout, stop);
    if (raw.ok()) {
      suspects_.Remove(node.node_id);
      return raw;
    }
    last = raw.status().WithContext(fmt::format("datanode {} ({})", node.address, node.node_id));
    switch (raw.status().code()) {
      case Code::kCancelled:
        return last;
      case Code::kDataLoss:
        ++bad;
        // Best effort: the node looks for itself as well, and so does its scrubber.
        (void)master_.ReportBadReplicaOnce(
            located.block.block_id, node.node_id, raw.status().message());
        break;
      case Code::kNotFound:  // moved; the node is not to blame
        break;
      default:
        suspects_.Add(node.node_id, options_.clock->Now());
    }
  }
  if (bad == located.nodes.size()) return last;
  return Unavailable(last.message());
}

Status ReplicaReader::Refresh(const Place& place, LocatedBlock& located) {
  auto fresh =
      master_.LocateBlocksOnce(place.inode_id, place.block_offset_bytes, located.length_bytes);
  if (!fresh.ok()) {
    // The file is gone, and its blocks will be; what else is wrong may pass.
    return fresh.status().code() == Code::kNotFound ? fresh.status() : Status();
  }
  for (LocatedBlock& block : fresh->blocks) {
    if (block.block == located.block) {
      located = std::move(block);
      return {};
    }
  }
  return FailedPrecondition("the file was changed while it was read");
}

}  // namespace slipstream::dfs
