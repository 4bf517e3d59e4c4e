#include <chrono>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{1'000};

void RunSafeMode(Session& session, const Arguments& arguments) {
  const std::string& action = arguments.operands().front();
  if (action != "enter" && action != "leave" && action != "get" && action != "wait" &&
      action != "forceExit") {
    session.FailUsage("Illegal action " + action);
    return;
  }
  if (action == "enter" || action == "leave" || action == "forceExit") {
    const Status status = session.admin().SetSafeMode(action == "enter");
    if (!status.ok()) {
      session.Fail("", status);
      return;
    }
  }
  while (true) {
    auto state = session.client().GetClusterState();
    if (!state.ok()) {
      session.Fail("", state.status());
      return;
    }
    if (action != "wait" || !state->is_in_safe_mode) {
      session.Print(fmt::format("Safe mode is {}\n", state->is_in_safe_mode ? "ON" : "OFF"));
      return;
    }
    SleepUnlessStopped(kPollInterval, {});
  }
}

void SetService(Session& session, const std::string& node, NodeService service, WallTime until) {
  const Status status = session.admin().SetNodeService(node, service, until);
  if (status.code() == Code::kNotFound) {
    session.Fail(fmt::format("`{}': No such datanode", node));
  } else if (!status.ok()) {
    session.Fail(node, status);
  }
}

void PrintService(Session& session, const std::string& wanted) {
  auto state = session.client().GetClusterState();
  if (!state.ok()) {
    session.Fail("", state.status());
    return;
  }
  bool is_found = false;
  for (const NodeReport& node : state->nodes) {
    if (wanted != node.node.node_id && wanted != node.node.address && wanted != node.host) continue;
    is_found = true;
    const char* text = node.service == NodeService::kInService        ? "Normal"
                       : node.service == NodeService::kDecommissioned ? "Decommissioned"
                       : node.service == NodeService::kMaintenance    ? "In maintenance"
                                                                      : "Decommission in progress";
    session.Print(fmt::format("{}: {}", node.node.address, text));
    if (node.service == NodeService::kDecommissioning) {
      session.Print(fmt::format(", {} blocks to move", node.blocks_to_move));
    }
    session.Print("\n");
  }
  if (!is_found) session.Fail(fmt::format("`{}': No such datanode", wanted));
}

// decommission and maintenance: NODE [start|stop|status].
void RunService(Session& session, const Arguments& arguments, NodeService service) {
  const std::vector<std::string>& operands = arguments.operands();
  const std::string action = operands.size() > 1 ? operands[1] : "status";
  constexpr uint64_t kMinutesMax = 525'600;  // a year
  auto minutes = arguments.Number("minutes", 1, kMinutesMax);
  if (!minutes.ok() || (action != "start" && action != "stop" && action != "status")) {
    session.FailUsage(minutes.ok() ? "Illegal action " + action : minutes.status().message());
    return;
  }
  if (action == "status") {
    PrintService(session, operands[0]);
    return;
  }
  WallTime until{};
  if (minutes->has_value()) {
    until = SystemClock::Get().WallNow() + std::chrono::minutes(static_cast<int64_t>(**minutes));
  }
  SetService(session, operands[0], action == "start" ? service : NodeService::kInService, until);
}

void RunDecommission(Session& session, const Arguments& arguments) {
  RunService(session, arguments, NodeService::kDecommissioning);
}

void RunMaintenance(Session& session, const Arguments& arguments) {
  RunService(session, arguments, NodeService::kMaintenance);
}

std::string BalanceText(const BalanceStatus& status) {
  return fmt::format("{}: {} moved in {} blocks, {} left, spread {:.2f}%, threshold {:.2f}%\n",
                     status.is_running ? "Balancing" : "Not balancing",
                     HumanSize(status.bytes_moved, 1, "B"),
                     status.blocks_moved,
                     HumanSize(status.bytes_left, 1, "B"),
                     status.spread_percent,
                     status.threshold_percent);
}

void RunBalance(Session& session, const Arguments& arguments) {
  constexpr uint64_t kPercentMax = 100;
  auto threshold = arguments.Number("threshold", 1, kPercentMax);
  if (!threshold.ok()) {
    session.FailUsage(threshold.status().message());
    return;
  }
  BalanceAction action = BalanceAction::kStart;
  if (arguments.Has("status")) action = BalanceAction::kStatus;
  if (arguments.Has("stop")) action = BalanceAction::kStop;
  auto status = session.admin().Balance(action, static_cast<double>(threshold->value_or(0)));
  while (status.ok()) {
    const bool is_over = action != BalanceAction::kStart || !status->is_running;
    if (arguments.Has("json")) {
      if (is_over) session.Print(JsonBalance(*status));
    } else {
      session.Print(BalanceText(*status));
      session.Flush();
    }
    if (is_over) return;
    SleepUnlessStopped(kPollInterval, {});
    status = session.admin().Balance(BalanceAction::kStatus);
  }
  session.Fail("", status.status());
}

// "10", "1k", "2g", "1t": a size as dfsadmin takes it.
Result<uint64_t> ParseSize(const std::string& text) {
  constexpr std::string_view kPrefixes = "kmgtpe";
  std::string digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    const char last = static_cast<char>(digits.back() | 0x20);
    if (const size_t prefix = kPrefixes.find(last); prefix != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * (prefix + 1));
      digits.pop_back();
    }
  }
  auto number = ParseNumber(digits);
  if (!number.ok()) return InvalidArgument(fmt::format("For input string: \"{}\"", text));
  const auto size = static_cast<uint64_t>(*number);
  if (*number < 1 || size > (static_cast<uint64_t>(INT64_MAX) >> shift)) {
    return InvalidArgument(fmt::format("Invalid values for quota : {}", text));
  }
  return size << shift;
}

void ChangeQuota(Session& session, std::span<const std::string> paths, const QuotaChange& change) {
  session.ForEach(paths, [&](const Item& item) {
    if (!IsDirectory(item)) {
      session.Fail(fmt::format("`{}': Is not a directory", item.shown));
      return;
    }
    const Status status = session.admin().SetQuota(item.path, change);
    if (!status.ok()) session.Fail(item.shown, status);
  });
}

void RunSetQuota(Session& session, const Arguments& arguments) {
  auto names = ParseSize(arguments.operands().front());
  if (!names.ok()) {
    session.FailUsage(names.status().message());
    return;
  }
  ChangeQuota(session, std::span(arguments.operands()).subspan(1), {.names_max = *names});
}

void RunSetSpaceQuota(Session& session, const Arguments& arguments) {
  auto bytes = ParseSize(arguments.operands().front());
  if (!bytes.ok()) {
    session.FailUsage(bytes.status().message());
    return;
  }
  ChangeQuota(session, std::span(arguments.operands()).subspan(1), {.space_max_bytes = *bytes});
}

void RunClrQuota(Session& session, const Arguments& arguments) {
  ChangeQuota(session, arguments.operands(), {.names_max = 0});
}

void RunClrSpaceQuota(Session& session, const Arguments& arguments) {
  ChangeQuota(session, arguments.operands(), {.space_max_bytes = 0});
}

void RunQuota(Session& session, const Arguments& arguments) {
  const CountFormat format{.quotas = true, .contents = false, .human_sizes = arguments.Has("h")};
  std::vector<ContentTotals> all;
  session.ForEach(arguments.operands(), [&](const Item& item) {
    all.push_back({.shown = item.shown, .quota = item.status.quota});
  });
  if (all.empty()) return;
  session.Print(CountHeader(format));
  for (const ContentTotals& totals : all)
    session.Print(FormatCount(totals, format));
}

}  // namespace

std::vector<Verb> AdminVerbs() {
  return {
      {.names = {"safemode"},
       .usage = "enter | leave | get | wait | forceExit",
       .help = "Enter or leave safe mode, show it, wait for its end.\n"
               "In safe mode nothing may be changed.",
       .flags = {},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunSafeMode},
      {.names = {"decommission"},
       .usage = "NODE [start | stop | status]",
       .help = "Have a datanode's blocks copied elsewhere.\n"
               "Once that is done it may be switched off.\n"
               "NODE: its id, HOST:PORT, or HOST.",
       .flags = {},
       .operands = {.operands_min = 1, .operands_max = 2},
       .run = RunDecommission},
      {.names = {"maintenance"},
       .usage = "[--minutes N] NODE [start | stop | status]",
       .help = "Tell that a datanode will be away for a while.\n"
               "It gets no new blocks, and those it has are not copied elsewhere.\n"
               "--minutes: ends by itself; else with stop",
       .flags = {"minutes="},
       .operands = {.operands_min = 1, .operands_max = 2},
       .run = RunMaintenance},
      {.names = {"balance"},
       .usage = "[-threshold <percent>] [-status | -stop] [--json]",
       .help = "Even out how full the datanodes are.\n"
               "Replicas are moved until none is farther than the threshold (10) from the average\n"
               "used share. The master does it: when you interrupt the command it goes on, until\n"
               "-stop.",
       .flags = {"threshold=", "status", "stop", "json"},
       .operands = {.operands_max = 0},
       .run = RunBalance},
      {.names = {"quota"},
       .usage = "[-h] <dirname>...",
       .help = "Show quotas.\n"
               "QUOTA REM_QUOTA SPACE_QUOTA REM_SPACE_QUOTA PATHNAME",
       .flags = {"h"},
       .operands = {.operands_min = 1},
       .run = RunQuota},
      {.names = {"setQuota"},
       .usage = "<quota> <dirname>...",
       .help = "Limit how many names lie at and below directories.",
       .flags = {},
       .operands = {.operands_min = 2},
       .run = RunSetQuota},
      {.names = {"clrQuota"},
       .usage = "<dirname>...",
       .help = "Take that limit away.",
       .flags = {},
       .operands = {.operands_min = 1},
       .run = RunClrQuota},
      {.names = {"setSpaceQuota"},
       .usage = "<quota> <dirname>...",
       .help = "Limit how many bytes are stored below directories.\n"
               "Over all replicas, compressed: 100, 10g.",
       .flags = {},
       .operands = {.operands_min = 2},
       .run = RunSetSpaceQuota},
      {.names = {"clrSpaceQuota"},
       .usage = "<dirname>...",
       .help = "Take that limit away.",
       .flags = {},
       .operands = {.operands_min = 1},
       .run = RunClrSpaceQuota},
  };
}

}  // namespace slipstream::dfs::cli
