#include <chrono>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/format.h"
#include "dfs-client/cli/json_format.h"
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

}  // namespace

void RunReport(Session& session, const Arguments& arguments) {
  auto state = session.client().GetClusterState();
  if (!state.ok()) {
    session.Fail("report", state.status());
    return;
  }
  if (arguments.Has("json")) {
    session.Print(JsonReport(*state));
    return;
  }
  const bool shows_all = !arguments.Has("live") && !arguments.Has("dead");
  session.Print(FormatReport(
      *state,
      {.live = shows_all || arguments.Has("live"), .dead = shows_all || arguments.Has("dead")}));
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

}  // namespace slipstream::dfs::cli
