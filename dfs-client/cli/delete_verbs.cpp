#include <algorithm>
#include <cctype>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "dfs-client/cli/session.h"
#include "dfs-client/cli/trash.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// `rm -safely` asks before it deletes more files than this, as HDFS does.
constexpr uint64_t kSafeFilesMax = 100;

// Asks on stderr until the answer is one.
bool Confirm(const std::string& question) {
  std::string line;
  while (true) {
    fmt::print(stderr, "{} (Y or N) ", question);
    if (!std::getline(std::cin, line)) return false;
    std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    if (line == "y" || line == "yes") return true;
    if (line == "n" || line == "no") return false;
    fmt::print(stderr, "Invalid input: {}\n", line);
  }
}

bool MayDelete(Session& session, const Item& item) {
  uint64_t files = 0;
  if (!session.Walk(item, [&](const Item& found) { files += IsDirectory(found) ? 0 : 1; })) {
    return false;
  }
  if (files <= kSafeFilesMax || Confirm(fmt::format("Proceed deleting {} files?", files))) {
    return true;
  }
  session.Warn("Delete aborted at user request.\n");
  return false;
}

void RunRm(Session& session, const Arguments& arguments) {
  const bool is_recursive = arguments.Has("r") || arguments.Has("R");
  Trash trash(session);
  const auto remove = [&](const Item& item) {
    if (IsDirectory(item) && !is_recursive) {
      session.Fail(fmt::format("`{}': Is a directory", item.shown));
      return;
    }
    if (arguments.Has("safely") && IsDirectory(item) && !MayDelete(session, item)) return;
    Result<bool> is_gone = arguments.Has("skipTrash") ? Result<bool>(false) : trash.IsOn();
    if (is_gone.ok() && *is_gone) is_gone = trash.Take(item);
    Status status = is_gone.status();
    if (is_gone.ok() && *is_gone) return;
    if (is_gone.ok()) status = session.client().Delete(item.path, is_recursive);
    if (status.ok()) {
      session.Print(fmt::format("Deleted {}\n", item.shown));
    } else if (!(arguments.Has("f") && status.code() == Code::kNotFound)) {
      session.Fail(item.shown, status);
    }
  };
  if (arguments.Has("f")) {
    session.ForEachThatExists(arguments.operands(), remove);
  } else {
    session.ForEach(arguments.operands(), remove);
  }
}

void RunRmdir(Session& session, const Arguments& arguments) {
  session.ForEach(arguments.operands(), [&](const Item& item) {
    if (!IsDirectory(item)) {
      session.Fail(fmt::format("`{}': Is not a directory", item.shown));
      return;
    }
    const Status status = session.client().Delete(item.path, false);
    if (status.ok()) return;
    // Of a directory there is one thing in the way: what is in it. Looked up, so that another
    // reason is not taken for it.
    auto page = session.client().List(item.path, "", 1);
    if (status.code() == Code::kFailedPrecondition && page.ok() && !page->entries.empty()) {
      if (!arguments.Has("ignore-fail-on-non-empty")) {
        session.Fail(fmt::format("`{}': Directory is not empty", item.shown));
      }
      return;
    }
    session.Fail(item.shown, status);
  });
}

void RunExpunge(Session& session, const Arguments& arguments) {
  Trash trash(session);
  const bool is_immediate = arguments.Has("immediate");
  Status status;
  if (is_immediate) status = trash.MakeCheckpoint();
  if (status.ok()) status = trash.DeleteCheckpoints(is_immediate);
  if (status.ok() && !is_immediate) status = trash.MakeCheckpoint();
  if (!status.ok()) session.Fail(session.home() + "/.Trash", status);
}

}  // namespace

std::vector<Verb> DeleteVerbs() {
  return {
      {.names = {"rm"},
       .usage = "[-f] [-r|-R] [-skipTrash] [-safely] <src> ...",
       .help = "Delete files; with a trash, move them there (see expunge).\n"
               "-f: what is not there is no error\n"
               "-r, -R: directories with all below, too\n"
               "-skipTrash: delete at once\n"
               "-safely: ask before a directory with more than 100 files goes",
       .flags = {"f", "r", "R", "skipTrash", "safely"},
       .operands = {.operands_min = 1},
       .run = RunRm},
      {.names = {"rmr"}, .usage = "", .help = "", .replacement = "rm -r"},
      {.names = {"rmdir"},
       .usage = "[--ignore-fail-on-non-empty] <dir> ...",
       .help = "Delete empty directories.\n"
               "--ignore-fail-on-non-empty: leave others without a word",
       .flags = {"ignore-fail-on-non-empty"},
       .operands = {.operands_min = 1},
       .run = RunRmdir},
      {.names = {"expunge"},
       .usage = "[-immediate]",
       .help = "Delete what is old in your trash.\n"
               "That is what was removed longer ago than the master keeps it; the rest becomes a\n"
               "checkpoint. The master does the same by itself.\n"
               "-immediate: delete all of it now",
       .flags = {"immediate"},
       .operands = {.operands_max = 0},
       .run = RunExpunge},
  };
}

}  // namespace slipstream::dfs::cli
