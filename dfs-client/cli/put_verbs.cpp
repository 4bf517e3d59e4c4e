#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "dfs-client/cli/copy_pool.h"
#include "dfs-client/cli/destination.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/uploader.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

// "x" of "dir/x" and "dir/x/", whatever x is a link to; of "." and ".." where they are.
std::string NameOf(const std::string& local) {
  const std::string bare = local.substr(0, local.find_last_not_of('/') + 1);
  std::string name = fs::path(bare).filename().string();
  if (!name.empty() && name != "." && name != "..") return name;
  std::error_code error;
  return fs::canonical(local, error).filename().string();
}

void Put(Session& session, const std::vector<std::string>& words, const PutOptions& options) {
  const CopyOperands operands = SplitOperands(words);
  const auto target = RemoteDestination(session, operands.destination);
  if (!target.has_value()) return;
  const Existing existing = options.replaces ? Existing::kReplace : Existing::kRefuse;
  if (!CheckDestination(session, *target, operands.sources.size(), existing)) return;

  // Writers wait for its end; somebody who types must not.
  const auto state = session.client().GetClusterState();
  const bool is_refused = state.ok() && state->is_safe_mode_by_hand;
  Uploader uploader(session, options);
  for (const std::string& local : operands.sources) {
    std::error_code error;
    const bool is_input = local == "-" && operands.sources.size() == 1;
    if (!is_input && !fs::exists(local, error)) {
      uploader.Fail(local, NotFound(local));
      continue;
    }
    const std::string name = is_input ? "-" : NameOf(local);
    if (is_refused) {
      uploader.Fail(
          "",
          FailedPrecondition(fmt::format("Cannot create file{}. Name node is in safe mode.",
                                         target->PathFor(name))));
      continue;
    }
    uploader.Copy(local, {.path = target->PathFor(name), .shown = target->ShownFor(name)});
  }
  uploader.Finish();
}

void RunPut(Session& session, const Arguments& arguments) {
  auto threads = ThreadsAskedFor(arguments);
  constexpr uint64_t kLevelMax = 19;
  constexpr uint64_t kReplicationMax = 16;
  auto level = arguments.Number("level", 1, kLevelMax);
  auto replication = arguments.Number("replication", 1, kReplicationMax);
  for (const Status& status : {threads.status(), level.status(), replication.status()}) {
    if (status.ok()) continue;
    session.FailUsage(status.message());
    return;
  }
  // -d has no effect: there is no temporary file to do without. Nor has -l: a block is durable
  // before the file is visible.
  PutOptions options{
      .replaces = arguments.Has("f"), .preserves = arguments.Has("p"), .threads = *threads};
  if (level->has_value()) options.level = static_cast<int>(**level);
  if (replication->has_value()) options.replication = static_cast<uint32_t>(**replication);
  Put(session, arguments.operands(), options);
}

void RunMoveFromLocal(Session& session, const Arguments& arguments) {
  auto threads = ThreadsAskedFor(arguments);
  if (!threads.ok()) {
    session.FailUsage(threads.status().message());
    return;
  }
  Put(session,
      arguments.operands(),
      {.replaces = arguments.Has("f"),
       .preserves = arguments.Has("p"),
       .moves = true,
       .threads = *threads});
}

}  // namespace

std::vector<Verb> PutVerbs() {
  return {
      {.names = {"put", "copyFromLocal"},
       .usage = "[-f] [-p] [-l] [-d] [-t <thread count>] [-q <thread pool queue size>] "
                "[--level <1-19>] [--replication <1-16>] <localsrc> ... <dst>",
       .help = "Copy local files and directories into the file system.\n"
               "Several go into a directory. `-' is standard input.\n"
               "-f: replace files that are there\n"
               "-p: keep times, owner, group and mode\n"
               "-t: copies at a time (4)\n"
               "--level: how hard zstd tries (3); --replication: instead of the master's default\n"
               "-d, -l, -q: no effect: a file becomes visible whole and durable, or not at all,\n"
               "and needs no temporary name for that",
       .flags = {"f", "p", "l", "d", "t?", "q?", "level=", "replication="},
       .operands = {.operands_min = 1},
       .run = RunPut},
      {.names = {"moveFromLocal"},
       .usage = "[-f] [-p] [-l] [-d] [-t <thread count>] <localsrc> ... <dst>",
       .help = "As put, and delete here what was copied.",
       .flags = {"f", "p", "l", "d", "t?", "q?"},
       .operands = {.operands_min = 1},
       .run = RunMoveFromLocal},
  };
}

}  // namespace slipstream::dfs::cli
