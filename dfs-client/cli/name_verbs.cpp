#include <chrono>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/times.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

int64_t NowMs() {
  return SystemClock::Get().WallNow().time_since_epoch().count();
}

// Why a new name cannot be made at `path`.
void FailToMake(Session& session,
                const std::string& shown,
                const std::string& path,
                const Status& status) {
  if (status.code() == Code::kNotFound) {
    session.FailForMissingParent(shown, path);
  } else {
    session.Fail(shown, status);
  }
}

// For operands that may name what is not there: calls `found` with what is, `missing` with the
// path of what is not.
void ForEachName(Session& session,
                 const std::vector<std::string>& operands,
                 const std::function<void(const Item&)>& found,
                 const std::function<void(const std::string& shown, const std::string&)>& missing) {
  for (const std::string& operand : operands) {
    if (session.is_master_gone()) return;
    auto items = session.Expand(operand);
    if (items.ok()) {
      for (const Item& item : *items)
        found(item);
      continue;
    }
    auto path = session.Resolve(operand);
    if (items.status().code() == Code::kNotFound && path.ok()) {
      missing(operand, *path);
    } else {
      session.Fail(operand, items.status());
    }
  }
}

void RunMkdir(Session& session, const Arguments& arguments) {
  const bool makes_parents = arguments.Has("p");
  ForEachName(
      session,
      arguments.operands(),
      [&](const Item& item) {
        if (!IsDirectory(item)) {
          session.Fail(fmt::format("`{}': Is not a directory", item.shown));
        } else if (!makes_parents) {
          session.Fail(fmt::format("`{}': File exists", item.shown));
        }
      },
      [&](const std::string& shown, const std::string& path) {
        const Status status = session.client().MakeDirectory(path, makes_parents).status();
        if (!status.ok()) FailToMake(session, shown, path, status);
      });
}

// Makes an empty file where the parent is; without one HDFS's shell makes none either.
Status MakeEmpty(Session& session, const std::string& path) {
  RETURN_IF_ERROR(session.client().Stat(std::string(ParentPath(path))).status());
  return session.client().CreateFile(path)->Close();
}

void RunTouchz(Session& session, const Arguments& arguments) {
  ForEachName(
      session,
      arguments.operands(),
      [&](const Item& item) {
        if (IsDirectory(item)) {
          session.Fail(fmt::format("`{}': Is a directory", item.shown));
        } else if (item.status.length_bytes > 0) {
          session.Fail(fmt::format("`{}': Not a zero-length file", item.shown));
        } else {
          const Status status =
              session.client().SetAttributes(item.path, {.modified_at_ms = NowMs()}).status();
          if (!status.ok()) session.Fail(item.shown, status);
        }
      },
      [&](const std::string& shown, const std::string& path) {
        const Status status = MakeEmpty(session, path);
        if (!status.ok()) FailToMake(session, shown, path, status);
      });
}

void RunTouch(Session& session, const Arguments& arguments) {
  const std::string stamp = arguments.Value("t").value_or("");
  const std::optional<int64_t> asked_ms = ParseTouchTime(stamp);
  if (!stamp.empty() && !asked_ms.has_value()) {
    session.FailUsage("Unable to parse the specified timestamp " + stamp);
    return;
  }
  const int64_t time_ms = asked_ms.value_or(NowMs());
  AttributeChange change{.modified_at_ms = time_ms, .accessed_at_ms = time_ms};
  if (arguments.Has("a") != arguments.Has("m")) {
    (arguments.Has("a") ? change.modified_at_ms : change.accessed_at_ms).reset();
  }
  ForEachName(
      session,
      arguments.operands(),
      [&](const Item& item) {
        if (IsDirectory(item)) {
          session.Fail(fmt::format("`{}': Is a directory", item.shown));
          return;
        }
        const Status status = session.client().SetAttributes(item.path, change).status();
        if (!status.ok()) session.Fail(item.shown, status);
      },
      [&](const std::string& shown, const std::string& path) {
        auto parent = session.client().Stat(std::string(ParentPath(path)));
        if (parent.ok() && arguments.Has("c")) return;
        Status status = parent.ok() ? session.client().CreateFile(path)->Close() : parent.status();
        // A new file has the present time already.
        if (status.ok() && asked_ms.has_value()) {
          status = session.client().SetAttributes(path, change).status();
        }
        if (!status.ok()) FailToMake(session, shown, path, status);
      });
}

}  // namespace

std::vector<Verb> NameVerbs() {
  return {
      {.names = {"mkdir"},
       .usage = "[-p] <path> ...",
       .help = "Make directories.\n"
               "-p: their parents, too, and it is no error if they are there",
       .flags = {"p"},
       .operands = {.operands_min = 1},
       .run = RunMkdir},
      {.names = {"touchz"},
       .usage = "<path> ...",
       .help = "Make empty files, or give empty ones the present time.",
       .flags = {},
       .operands = {.operands_min = 1},
       .run = RunTouchz},
      {.names = {"touch"},
       .usage = "[-a] [-m] [-t TIMESTAMP (yyyyMMdd:HHmmss) ] [-c] <path> ...",
       .help = "Set the times of files; make those that are not there.\n"
               "-a: only that of access; -m: only that of modification\n"
               "-t: this time, local, instead of now\n"
               "-c: make none",
       .flags = {"a", "m", "t=", "c"},
       .operands = {.operands_min = 1},
       .run = RunTouch},
  };
}

}  // namespace slipstream::dfs::cli
