#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/report_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

std::string PairText(const EpochPair& pair) {
  return pair == EpochPair{} ? "-" : fmt::format("{}.{}", pair.epoch, pair.incarnation);
}

std::string PreparedText(const AppenderReport& appender) {
  std::string out;
  for (const EpochPair& pair : appender.prepared)
    out += (out.empty() ? "" : ",") + PairText(pair);
  return out.empty() ? "-" : out;
}

std::string AgeText(const AppenderReport& appender) {
  if (appender.prepared_since_ms == 0) return "-";
  const int64_t now_ms = SystemClock::Get().WallNow().time_since_epoch().count();
  return fmt::format("{}s", std::max<int64_t>(0, (now_ms - appender.prepared_since_ms) / 1000));
}

void AbortAppender(Session& session, const std::string& owner) {
  auto discarded = session.client().AbortAppender(owner);
  if (!discarded.ok()) {
    if (discarded.status().code() == Code::kNotFound) {
      session.Fail(fmt::format("`{}': No such appender", owner));
    } else {
      session.Fail(owner, discarded.status());
    }
    return;
  }
  session.Print(fmt::format("Aborted {}: {} prepared epochs discarded\n", owner, *discarded));
}

// Of a master that was restored from a copy and waits for somebody; empty for all others.
std::string RestoreText(const Result<RestoreReport>& restore) {
  if (!restore.ok()) return "";
  if (restore->phase == RestorePhase::kWaiting) {
    return fmt::format("Restored from a copy, waiting for datanodes: {}\n",
                       fmt::join(restore->missing_node_ids, ", "));
  }
  if (restore->phase != RestorePhase::kKeeping) return "";
  return fmt::format(
      "Restored from a copy: {} unknown blocks are kept, {} writers are ahead of it\n",
      restore->unknown_replicas,
      restore->writers_ahead);
}

void RunReport(Session& session, const Arguments& arguments) {
  auto state = session.client().GetClusterState();
  if (!state.ok()) {
    session.Fail("", state.status());
    return;
  }
  if (arguments.Has("json")) {
    session.Print(JsonReport(*state));
    return;
  }
  ReportSections sections{
      .live = arguments.Has("live"),
      .dead = arguments.Has("dead"),
      .decommissioning = arguments.Has("decommissioning"),
      .maintenance = arguments.Has("inmaintenance") || arguments.Has("enteringmaintenance")};
  if (!sections.live && !sections.dead && !sections.decommissioning && !sections.maintenance) {
    sections = ReportSections();
  }
  session.Print(RestoreText(session.admin().GetRestore()));
  session.Print(FormatReport(*state, sections));
}

void RunAppenders(Session& session, const Arguments& arguments) {
  if (auto owner = arguments.Value("abort"); owner.has_value()) {
    AbortAppender(session, *owner);
    return;
  }
  const std::string prefix = arguments.operands().empty() ? "" : arguments.operands().front();
  auto appenders = session.client().ListAppenders(prefix);
  if (!appenders.ok()) {
    session.Fail(prefix, appenders.status());
    return;
  }
  if (arguments.Has("json")) {
    session.Print(JsonAppenders(*appenders));
    return;
  }
  if (appenders->empty()) return;
  std::vector<std::vector<std::string>> rows{
      {"OWNER", "INCARNATION", "COMMITTED", "PREPARED", "AGE", "OPEN_FILES"}};
  for (const AppenderReport& appender : *appenders) {
    rows.push_back({appender.owner,
                    std::to_string(appender.incarnation),
                    PairText(appender.committed),
                    PreparedText(appender),
                    AgeText(appender),
                    std::to_string(appender.open_files)});
  }
  session.Print(FormatColumns(rows));
}

}  // namespace

std::vector<Verb> ReportVerbs() {
  return {
      {.names = {"report"},
       .usage = "[-live] [-dead] [-decommissioning] [-enteringmaintenance] [-inmaintenance] "
                "[--json]",
       .help = "Show the space, the health and the datanodes.\n"
               "All datanodes, or those of a kind.",
       .flags = {"live", "dead", "decommissioning", "enteringmaintenance", "inmaintenance", "json"},
       .operands = {.operands_max = 0},
       .run = RunReport},
      {.names = {"appenders"},
       .usage = "[--abort OWNER] [--json] [PREFIX]",
       .help = "List writers that append, and what they have prepared.\n"
               "--abort: discard what OWNER has prepared and not committed",
       .flags = {"abort=", "json"},
       .operands = {.operands_max = 1},
       .run = RunAppenders},
  };
}

}  // namespace slipstream::dfs::cli
