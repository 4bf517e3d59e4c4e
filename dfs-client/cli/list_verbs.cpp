#include <algorithm>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// Lister: `ls` over its operands. What --json prints is gathered, since it is one document.
class Lister final {
 public:
  Lister(Session& session, const Arguments& arguments)
      : session_(session),
        arguments_(arguments),
        is_recursive_(arguments.Has("R") && !arguments.Has("d")),
        formatter_({.paths_only = arguments.Has("C"),
                    .human_sizes = arguments.Has("h"),
                    .mask_unprintable = arguments.Has("q"),
                    .accessed = arguments.Has("u"),
                    .has_policy = arguments.Has("e")}) {}

  void ListOperand(const Item& item) {
    if (IsDirectory(item) && !arguments_.Has("d")) {
      ListDirectory(item);
      return;
    }
    formatter_.MakeRoom({item});
    Show(item);
  }

  void Finish() {
    if (arguments_.Has("json")) session_.Print(JsonListing(gathered_));
  }

 private:
  void ListDirectory(const Item& directory) {
    auto children = session_.Children(directory);
    if (!children.ok()) {
      session_.Fail(directory.shown, children.status());
      return;
    }
    if (!is_recursive_) {
      // HDFS sorts nothing under -R: there the order is the tree's.
      Sort(*children);
      if (!children->empty() && !arguments_.Has("C") && !arguments_.Has("json")) {
        session_.Print(fmt::format("Found {} items\n", children->size()));
      }
    }
    formatter_.MakeRoom(*children);
    for (const Item& child : *children) {
      Show(child);
      if (is_recursive_ && IsDirectory(child)) ListDirectory(child);
    }
  }

  void Sort(std::vector<Item>& items) const {
    if (arguments_.Has("t")) {
      SortDown(items, [&](const FileStatus& status) {
        return arguments_.Has("u") ? status.accessed_at_ms : status.modified_at_ms;
      });
    } else if (arguments_.Has("S")) {
      SortDown(items, [](const FileStatus& status) { return status.length_bytes; });
    } else if (arguments_.Has("r")) {
      std::reverse(items.begin(), items.end());
    }
  }

  // Largest first, or last with -r; equal ones stay by name.
  template <class Key>
  void SortDown(std::vector<Item>& items, const Key& key) const {
    const bool is_reverse = arguments_.Has("r");
    std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
      return is_reverse ? key(a.status) < key(b.status) : key(a.status) > key(b.status);
    });
  }

  void Show(const Item& item) {
    if (arguments_.Has("json")) {
      gathered_.push_back(item);
    } else {
      session_.Print(formatter_.Line(item));
    }
  }

  Session& session_;
  const Arguments& arguments_;
  const bool is_recursive_;
  ListingFormatter formatter_;
  std::vector<Item> gathered_;
};

void RunLs(Session& session, const Arguments& arguments) {
  Lister lister(session, arguments);
  const std::vector<std::string> home{"."};
  session.ForEach(arguments.operands().empty() ? home : arguments.operands(),
                  [&](const Item& item) { lister.ListOperand(item); });
  lister.Finish();
}

void RunStat(Session& session, const Arguments& arguments) {
  std::span<const std::string> operands = arguments.operands();
  std::string format = "%y";
  if (operands.front().find('%') != std::string::npos) {
    format = operands.front();
    operands = operands.subspan(1);
  }
  if (operands.empty()) {
    session.FailUsage("Not enough arguments: expected 1 but got 0");
    return;
  }
  std::vector<Item> gathered;
  const auto show = [&](const Item& item) {
    if (arguments.Has("json")) {
      gathered.push_back(item);
    } else {
      session.Print(FormatStat(format, item) + "\n");
    }
  };
  session.ForEach(operands, [&](const Item& item) {
    if (arguments.Has("R")) {
      session.Walk(item, show);
    } else {
      show(item);
    }
  });
  if (arguments.Has("json")) session.Print(JsonListing(gathered));
}

Result<bool> MayAccess(Session& session, const std::string& path, uint32_t rights) {
  const Status status = session.client().CheckAccess(path, rights);
  if (!status.ok() && status.code() != Code::kPermissionDenied) return status;
  return status.ok();
}

Result<bool> Holds(Session& session, char test, const Item& item) {
  const FileStatus& status = item.status;
  switch (test) {
    case 'd':
      return status.kind == FileKind::kDirectory;
    case 'f':
      return status.kind == FileKind::kFile;
    case 's':
      return status.length_bytes > 0;
    case 'z':
      return status.length_bytes == 0;
    case 'r':
      return MayAccess(session, item.path, kMayRead);
    case 'w':
      return MayAccess(session, item.path, kMayWrite);
    default:
      return true;
  }
}

void RunTest(Session& session, const Arguments& arguments) {
  std::string tests;
  for (const char* flag : {"d", "e", "f", "s", "w", "r", "z"}) {
    if (arguments.Has(flag)) tests += flag;
  }
  if (tests.size() != 1) {
    session.FailUsage(tests.empty() ? "No test flag given" : "Only one test flag is allowed");
    return;
  }
  auto items = session.Expand(arguments.operands().front());
  if (items.status().code() == Code::kNotFound) {
    session.SetExitCode(1);
    return;
  }
  if (!items.ok()) {
    session.Fail(arguments.operands().front(), items.status());
    return;
  }
  for (const Item& item : *items) {
    const Result<bool> holds = Holds(session, tests.front(), item);
    if (!holds.ok()) {
      session.Fail(item.path, holds.status());
    } else if (!*holds) {
      session.SetExitCode(1);
    }
  }
}

}  // namespace

std::vector<Verb> ListVerbs() {
  return {
      {.names = {"ls"},
       .usage = "[-C] [-d] [-h] [-q] [-R] [-t] [-S] [-r] [-u] [-e] [--json] [<path> ...]",
       .help = "List files and the contents of directories.\n"
               "-C: paths only\n"
               "-d: directories themselves, not what is in them\n"
               "-h: sizes for people: 1.5 K\n"
               "-q: ? for characters that cannot be printed\n"
               "-R: with all below, in the tree's order\n"
               "-t: by time, the newest first; -S: by size, the largest first; -r: the other way\n"
               "-u: times of access, which only `touch -a` and copies with -p set\n"
               "-e: a column for how a file is kept: always Replicated\n"
               "Without a path, your home directory.",
       .flags = {"C", "d", "h", "q", "R", "t", "S", "r", "u", "e", "json"},
       .operands = {},
       .run = RunLs},
      {.names = {"lsr"}, .usage = "", .help = "", .replacement = "ls -R"},
      {.names = {"stat"},
       .usage = "[-R] [--json] [format] <path> ...",
       .help = "Print what is known of files and directories.\n"
               "%a %A mode in octal, in letters; %b bytes; %F type; %g group; %n name;\n"
               "%o block size as HDFS counts it (128 MiB); %r replication; %u owner;\n"
               "%x %X accessed, %y %Y modified: in UTC, in milliseconds since 1970.\n"
               "Without a format: %y.",
       .flags = {"R", "json"},
       .operands = {.operands_min = 1},
       .run = RunStat},
      {.names = {"test"},
       .usage = "-[defswrz] <path>",
       .help = "Answer with the exit code: 0 if it holds, 1 if not.\n"
               "-d: a directory; -e: exists; -f: a file\n"
               "-s: more than 0 bytes; -z: 0 bytes\n"
               "-r, -w: you may read it, write it",
       .flags = {"d", "e", "f", "s", "w", "r", "z"},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunTest},
  };
}

}  // namespace slipstream::dfs::cli
