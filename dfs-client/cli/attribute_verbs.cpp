#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/clock/sleep.h"
#include "dfs-client/cli/mode_change.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// How often `setrep -w` looks. HDFS waits ten seconds.
constexpr std::chrono::milliseconds kSetrepInterval{500};

// Calls `change` for the items that operands name; with -R for all below them, too.
void ForEachTree(Session& session,
                 const Arguments& arguments,
                 std::span<const std::string> operands,
                 const std::function<void(const Item&)>& change) {
  session.ForEach(operands, [&](const Item& item) {
    if (arguments.Has("R")) {
      session.Walk(item, change);
    } else {
      change(item);
    }
  });
}

void RunChmod(Session& session, const Arguments& arguments) {
  const std::span<const std::string> operands = arguments.operands();
  const std::optional<ModeChange> mode = ModeChange::Parse(operands.front());
  if (!mode.has_value()) {
    session.FailUsage(
        fmt::format("chmod : mode '{}' does not match the expected pattern.", operands.front()));
    return;
  }
  ForEachTree(session, arguments, operands.subspan(1), [&](const Item& item) {
    const uint32_t wanted = mode->Apply(item.status.kind, item.status.mode);
    if (wanted == item.status.mode) return;
    const Status status = session.client().SetAttributes(item.path, {.mode = wanted}).status();
    if (!status.ok()) {
      session.Fail(fmt::format("changing permissions of '{}': {}", item.shown, status.message()));
    }
  });
}

bool IsName(std::string_view text) {
  constexpr std::string_view kAlso = "-_./@";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kAlso.find(c) != std::string_view::npos;
  });
}

void ChangeOwner(Session& session, const Arguments& arguments, const AttributeChange& wanted) {
  ForEachTree(
      session, arguments, std::span(arguments.operands()).subspan(1), [&](const Item& item) {
        AttributeChange change = wanted;
        if (change.owner == item.status.owner) change.owner.reset();
        if (change.group == item.status.group) change.group.reset();
        if (!change.owner.has_value() && !change.group.has_value()) return;
        const Status status = session.client().SetAttributes(item.path, change).status();
        if (!status.ok()) {
          session.Fail(fmt::format("changing ownership of '{}': {}", item.shown, status.message()));
        }
      });
}

void RunChown(Session& session, const Arguments& arguments) {
  const std::string& text = arguments.operands().front();
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string owner = text.substr(0, colon);
  const std::string group = colon < text.size() ? text.substr(colon + 1) : "";
  if (!IsName(owner) || !IsName(group)) {
    session.FailUsage(
        fmt::format("'{}' does not match expected pattern for [owner][:group].", text));
    return;
  }
  if (owner.empty() && group.empty()) {
    session.FailUsage(fmt::format("'{}' does not specify owner or group.", text));
    return;
  }
  AttributeChange change;
  if (!owner.empty()) change.owner = owner;
  if (!group.empty()) change.group = group;
  ChangeOwner(session, arguments, change);
}

void RunChgrp(Session& session, const Arguments& arguments) {
  const std::string& group = arguments.operands().front();
  if (group.empty() || !IsName(group)) {
    session.FailUsage(fmt::format("'{}' does not match expected pattern for group", group));
    return;
  }
  ChangeOwner(session, arguments, {.group = group});
}

// Whether every block of a file has `replication` good replicas; more of them sets `has_more`.
Result<bool> IsReplicated(Session& session,
                          const std::string& path,
                          uint32_t replication,
                          bool& has_more) {
  bool is_done = true;
  for (uint64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const FileBlocks blocks, session.client().LocateBlocks(path, offset));
    uint64_t end = blocks.first_block_offset_bytes;
    for (const LocatedBlock& block : blocks.blocks) {
      is_done = is_done && block.nodes.size() == replication;
      has_more = has_more || block.nodes.size() > replication;
      end += block.length_bytes;
    }
    if (blocks.blocks.empty() || end >= blocks.status.length_bytes || end <= offset) {
      return is_done;
    }
    offset = end;
  }
}

void WaitForReplication(Session& session, const Item& item, uint32_t replication) {
  session.Print(fmt::format("Waiting for {} ...", item.shown));
  session.Flush();
  bool has_warned = false;
  while (true) {
    bool has_more = false;
    auto is_done = IsReplicated(session, item.path, replication, has_more);
    if (!is_done.ok()) {
      session.Print("\n");
      session.Fail(item.shown, is_done.status());
      return;
    }
    if (*is_done) break;
    if (has_more && !has_warned) {
      session.Print(
          "\nWARNING: the waiting time may be long for DECREASING the number of replications.\n");
      has_warned = true;
    }
    session.Print(".");
    session.Flush();
    SleepUnlessStopped(kSetrepInterval, {});
  }
  session.Print(" done\n");
}

void RunSetrep(Session& session, const Arguments& arguments) {
  constexpr int64_t kReplicationMax = 32767;  // what fits HDFS's short
  constexpr int64_t kOurMax = 16;
  const std::span<const std::string> operands = arguments.operands();
  auto replication = ParseNumber(operands.front());
  if (replication.ok() && (*replication > kReplicationMax || *replication < -kReplicationMax)) {
    replication =
        InvalidArgument(fmt::format("Value out of range. Value:\"{}\" Radix:10", operands.front()));
  }
  if (!replication.ok()) {
    session.Warn("setrep: Illegal replication, a positive integer expected");
    session.FailUsage(replication.status().message());
    return;
  }
  if (*replication < 1) {
    session.FailUsage("replication must be >= 1");
    return;
  }
  const auto wanted = static_cast<uint32_t>(*replication);
  std::vector<Item> changed;
  const auto change = [&](const Item& item) {
    if (IsDirectory(item)) return;
    if (*replication > kOurMax) {
      session.Fail(fmt::format("Requested replication factor of {} exceeds maximum of {} for {}",
                               wanted,
                               kOurMax,
                               item.path));
      return;
    }
    const Status status = session.client().SetReplication(item.path, wanted);
    if (!status.ok()) {
      session.Fail(item.shown, status);
      return;
    }
    session.Print(fmt::format("Replication {} set: {}\n", wanted, item.shown));
    changed.push_back(item);
  };
  // All below a directory, with -R or without.
  session.ForEach(operands.subspan(1), [&](const Item& item) { session.Walk(item, change); });
  if (!arguments.Has("w")) return;
  for (const Item& item : changed)
    WaitForReplication(session, item, wanted);
}

}  // namespace

std::vector<Verb> AttributeVerbs() {
  return {
      {.names = {"chmod"},
       .usage = "[-R] <MODE[,MODE]... | OCTALMODE> PATH...",
       .help = "Change permissions: u+x,g-w, +t, a=rX, 754, 1777.\n"
               "They are kept and shown, but nobody is refused by them.\n"
               "-R: with all below",
       .flags = {"R"},
       .operands = {.operands_min = 2, .flag_rule = Arguments::FlagRule::kUnknownStay},
       .run = RunChmod},
      {.names = {"chown"},
       .usage = "[-R] [OWNER][:[GROUP]] PATH...",
       .help = "Change owner, group or both.\n"
               "-R: with all below",
       .flags = {"R"},
       .operands = {.operands_min = 2},
       .run = RunChown},
      {.names = {"chgrp"},
       .usage = "[-R] GROUP PATH...",
       .help = "Change the group.\n"
               "-R: with all below",
       .flags = {"R"},
       .operands = {.operands_min = 2},
       .run = RunChgrp},
      {.names = {"setrep"},
       .usage = "[-R] [-w] <rep> <path> ...",
       .help = "Set how many replicas files have (1 to 16).\n"
               "Of a directory, all files below.\n"
               "-w: wait until there are so many\n"
               "-R: no effect",
       .flags = {"R", "w"},
       .operands = {.operands_min = 2},
       .run = RunSetrep},
  };
}

}  // namespace slipstream::dfs::cli
