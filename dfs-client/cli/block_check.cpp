#include "dfs-client/cli/block_check.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/cli/session.h"

namespace slipstream::dfs::cli {
namespace {

constexpr std::string_view kPrefix = "blk_";
constexpr int kNotChecked = 255;

std::optional<uint64_t> ParseBlockName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  // "blk_1073741825_1001": HDFS's generation, which there is none of here.
  name = name.substr(0, name.find('_'));
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool is_number = error == std::errc() && end == name.data() + name.size() && id != 0;
  return is_number ? std::optional(id) : std::nullopt;
}

std::string RackOf(const CheckedReplica& replica) {
  return replica.rack.empty() ? "/default-rack" : replica.rack;
}

// In a list of locations.
const char* NameOf(ReplicaState state) {
  switch (state) {
    case ReplicaState::kLive:
      return "LIVE";
    case ReplicaState::kStaleNode:
      return "STALE_NODE";
    case ReplicaState::kUnconfirmed:
      return "STALE_BLOCK_CONTENT";
    case ReplicaState::kCorrupt:
      return "CORRUPT";
    case ReplicaState::kDecommissioning:
      return "DECOMMISSIONING";
    case ReplicaState::kDecommissioned:
      return "DECOMMISSIONED";
    case ReplicaState::kInMaintenance:
      return "IN MAINTENANCE";
  }
  return "UNKNOWN";
}

// Of one block; and the exit code it makes.
std::pair<const char*, int> HealthOf(ReplicaState state) {
  switch (state) {
    case ReplicaState::kCorrupt:
      return {"CORRUPT", 1};
    case ReplicaState::kDecommissioned:
      return {"DECOMMISSIONED", 2};
    case ReplicaState::kDecommissioning:
      return {"DECOMMISSIONING", 3};
    case ReplicaState::kInMaintenance:
      return {"IN MAINTENANCE", 4};
    case ReplicaState::kStaleNode:
      return {"STALE", 6};
    case ReplicaState::kLive:
    case ReplicaState::kUnconfirmed:
      break;
  }
  return {"HEALTHY", 0};
}

// The file that has the block, and of it only that; nullopt: none has.
Result<std::optional<CheckedFile>> FindFile(Session& session, uint64_t block_id) {
  FileCheck check{.path = "/", .block_id = block_id};
  do {
    ASSIGN_OR_RETURN(FileCheckPage page, session.admin().CheckFiles(check));
    if (!page.files.empty()) return std::optional(std::move(page.files.front()));
    check.cursor = std::move(page.next_cursor);
  } while (!check.cursor.empty());
  return std::optional<CheckedFile>();
}

// Returns the exit code.
int Show(Session& session, std::string_view name, const CheckedFile& file) {
  const CheckedBlock& block = file.blocks.front();
  const auto count = [&](ReplicaState state) {
    return std::count_if(block.replicas.begin(), block.replicas.end(), [&](const auto& replica) {
      return replica.state == state;
    });
  };
  session.Print(
      fmt::format("Block Id: {}\nBlock belongs to: {}\nNo. of Expected Replica: {}\n"
                  "No. of live Replica: {}\nNo. of excess Replica: {}\n"
                  "No. of stale Replica: {}\nNo. of decommissioned Replica: {}\n"
                  "No. of decommissioning Replica: {}\n",
                  name,
                  file.path,
                  block.wanted,
                  block.good,
                  block.good - std::min(block.good, block.wanted),
                  count(ReplicaState::kStaleNode),
                  count(ReplicaState::kDecommissioned),
                  count(ReplicaState::kDecommissioning)));
  if (const auto resting = count(ReplicaState::kInMaintenance); resting > 0) {
    session.Print(fmt::format("No. of in maintenance Replica: {}\n", resting));
  }
  session.Print(fmt::format("No. of corrupted Replica: {}\n", block.corrupt));
  int code = block.replicas.empty() ? 1 : 0;
  for (const CheckedReplica& replica : block.replicas) {
    const auto [health, health_code] = HealthOf(replica.state);
    session.Print(fmt::format(
        "Block replica on datanode/rack: {}{} is {}\n", replica.host, RackOf(replica), health));
    code = health_code;
  }
  return code;
}

}  // namespace

std::string BlockName(const Block& block) {
  return fmt::format("{}{}", kPrefix, block.block_id);
}

std::string FormatReplicas(const CheckedBlock& block, const ReplicaText& text) {
  std::string out;
  for (const CheckedReplica& replica : block.replicas) {
    // Bad ones stand there only where it is said of them.
    if (!text.shows_states && replica.state == ReplicaState::kCorrupt) continue;
    out += out.empty() ? "[" : ", ";
    out += text.shows_racks ? fmt::format("{}/{}", RackOf(replica), replica.node.address)
                            : fmt::format("DatanodeInfoWithStorage[{},{},DISK]",
                                          replica.node.address,
                                          replica.node.node_id);
    if (text.shows_states) out += fmt::format("({})", NameOf(replica.state));
  }
  return (out.empty() ? "[" : out) + "]";
}

void CheckBlocks(Session& session, const std::string& block_names) {
  std::istringstream names(block_names);
  for (std::string name; names >> name;) {
    const std::optional<uint64_t> id = ParseBlockName(name);
    if (!id.has_value()) {
      session.Print(fmt::format("Incorrect blockId format: {}\n", name));
      continue;
    }
    const auto file = FindFile(session, *id);
    if (!file.ok()) {
      session.Fail(name, file.status());
      session.SetExitCode(kNotChecked);
      return;
    }
    session.Print("\n");
    if (file->has_value()) {
      session.SetExitCode(Show(session, name, **file));
    } else {
      session.Print(fmt::format("Block {} does not exist\n", name));
      session.SetExitCode(0);
    }
  }
}

}  // namespace slipstream::dfs::cli
