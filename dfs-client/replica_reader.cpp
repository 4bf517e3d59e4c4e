#include "dfs-client/replica_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/rpc/retry.h"
#include "dfs-client/hedged_reader.h"
#include "dfs-client/master_client.h"
#include "dfs-client/notices.h"
#include "dfs-client/suspect_nodes.h"

namespace slipstream::dfs {

using std::chrono::milliseconds;

Result<std::string> ReplicaReader::Read(const Place& place,
                                        LocatedBlock& located,
                                        const NodeClient::Range& range,
                                        const std::stop_token& stop) {
  Result<std::string> result = Unavailable("");
  const Status status =
      TryRounds(place, located, stop, [&](const NodeAddress& node, const NodeAddress* next) {
        result = parts_.hedged.Read(
            {.first = node,
             .second = next,
             .wanted = {.block = located.block, .range = range, .token = located.token},
             .timeout = options_.attempt_timeout},
            stop);
        return result.status();
      });
  if (!status.ok()) return status;
  return result;
}

Result<std::vector<uint32_t>> ReplicaReader::Checksum(const Place& place,
                                                      LocatedBlock& located,
                                                      const NodeClient::Range& range,
                                                      const NodeClient::Pieces& pieces,
                                                      const std::stop_token& stop) {
  Result<std::vector<uint32_t>> result = Unavailable("");
  const Status status =
      TryRounds(place, located, stop, [&](const NodeAddress& node, const NodeAddress*) {
        result = parts_.nodes.ChecksumBlock(
            node,
            {.block = located.block, .range = range, .token = located.token},
            pieces,
            options_.attempt_timeout,
            stop);
        return result.status();
      });
  if (!status.ok()) return status;
  return result;
}

Status ReplicaReader::TryRounds(const Place& place,
                                LocatedBlock& located,
                                const std::stop_token& stop,
                                const Attempt& attempt) {
  int bad_rounds = 0;
  bool is_first = true;
  const rpc::RetryOptions retry{
      .timeout = options_.timeout,
      .attempt_timeout_max = options_.timeout,  // attempts have bounds of their own
      .seed = options_.seed,
      .stop = stop,
      .on_retry = [&](const Status& why) { parts_.notices.Say("reading: " + why.message()); },
      .clock = options_.clock,
      .sleeper = options_.sleeper};
  const Status status = rpc::Retry(retry, [&](milliseconds) -> Status {
    if (stop.stop_requested()) return Cancelled("stopped");
    if (!is_first) RETURN_IF_ERROR(Refresh(place, located));
    is_first = false;
    Status round = TryAll(located, attempt);
    if (round.ok()) return round;
    if (round.code() == Code::kDataLoss && ++bad_rounds == kBadRoundsMax) return round;
    return Unavailable(round.message());
  });
  return status.WithContext(fmt::format("block {}", located.block.block_id));
}

// The replicas in the order to try them: the master's, which spreads readers over the nodes, but
// those that were slow come later, and those that failed last.
std::vector<NodeAddress> ReplicaReader::OrderOf(const LocatedBlock& located) const {
  const SteadyTime now = options_.clock->Now();
  std::vector<std::pair<int, const NodeAddress*>> ranked;
  for (const NodeAddress& node : located.nodes) {
    const bool is_suspect = parts_.suspects.Contains(node.node_id, now);
    ranked.emplace_back(is_suspect ? 2 : parts_.hedged.IsSlow(node.node_id) ? 1 : 0, &node);
  }
  std::stable_sort(
      ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<NodeAddress> nodes;
  nodes.reserve(ranked.size());
  for (const auto& [rank, node] : ranked)
    nodes.push_back(*node);
  return nodes;
}

Status ReplicaReader::TryAll(const LocatedBlock& located, const Attempt& attempt) {
  if (located.nodes.empty()) {
    return Unavailable(
        located.missing_node_ids.empty()
            ? std::string("no datanode has reported a replica")
            : fmt::format("no live datanode has a replica; the last known holders are {}",
                          fmt::join(located.missing_node_ids, ", ")));
  }
  Status last;
  size_t bad = 0;
  const std::vector<NodeAddress> nodes = OrderOf(located);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeAddress& node = nodes[i];
    const Status status = attempt(node, i + 1 < nodes.size() ? &nodes[i + 1] : nullptr);
    if (status.ok()) {
      parts_.suspects.Remove(node.node_id);
      return {};
    }
    last = status.WithContext(fmt::format("datanode {} ({})", node.address, node.node_id));
    switch (status.code()) {
      case Code::kCancelled:
        return last;
      case Code::kDataLoss:
        ++bad;
        // Best effort: the node looks for itself as well, and so does its scrubber.
        (void)parts_.master.ReportBadReplicaOnce(
            located.block.block_id, node.node_id, status.message());
        break;
      case Code::kNotFound:  // moved; the node is not to blame
        break;
      default:
        parts_.suspects.Add(node.node_id, options_.clock->Now());
    }
  }
  if (bad == nodes.size()) return last;
  return Unavailable(last.message());
}

Status ReplicaReader::Refresh(const Place& place, LocatedBlock& located) {
  auto fresh = parts_.master.LocateBlocksOnce(
      place.inode_id, place.block_offset_bytes, located.length_bytes);
  if (!fresh.ok()) {
    // The file is gone, and its blocks will be.
    if (fresh.status().code() == Code::kNotFound) return fresh.status();
    // What could be read when it was opened may be so no more.
    if (fresh.status().code() == Code::kPermissionDenied) return fresh.status();
    // The file ends before this block. What else is wrong may pass.
    return fresh.status().code() == Code::kOutOfRange ? Aborted(fresh.status().message())
                                                      : Status();
  }
  for (LocatedBlock& block : fresh->blocks) {
    if (block.block == located.block) {
      located = std::move(block);
      return {};
    }
  }
  return Aborted("the file does not have it any more");
}

}  // namespace slipstream::dfs
