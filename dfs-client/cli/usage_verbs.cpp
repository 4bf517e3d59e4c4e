#include <fmt/format.h>

#include "dfs-client/cli/format.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

struct Totals {
  uint64_t directories = 0;
  uint64_t files = 0;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;  // with all replicas

  void Add(const FileStatus& status) {
    if (status.kind == FileKind::kDirectory) {
      ++directories;
      return;
    }
    ++files;
    length_bytes += status.length_bytes;
    stored_bytes += status.stored_bytes * status.replication;
  }
};

Totals TotalsBelow(Session& session, const Item& root) {
  Totals totals;
  session.Walk(root, [&](const Item& item) { totals.Add(item.status); });
  return totals;
}

std::string SizeText(uint64_t bytes, const Arguments& arguments) {
  return arguments.Has("h") ? HumanSize(bytes) : std::to_string(bytes);
}

}  // namespace

void RunDu(Session& session, const Arguments& arguments) {
  std::vector<Usage> usages;
  const auto add = [&](const Item& item) {
    const Totals totals = TotalsBelow(session, item);
    usages.push_back({.shown = item.shown,
                      .length_bytes = totals.length_bytes,
                      .stored_bytes = totals.stored_bytes});
  };
  session.ForEach(arguments.operands(), [&](const Item& item) {
    if (arguments.Has("s") || item.status.kind != FileKind::kDirectory) {
      add(item);
      return;
    }
    auto children = session.Children(item);
    if (!children.ok()) {
      session.Fail(item.shown, children.status());
      return;
    }
    for (const Item& child : *children)
      add(child);
  });

  if (arguments.Has("json")) {
    session.Print(JsonUsage(usages));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  if (arguments.Has("v")) {
    rows.push_back({"SIZE", "DISK_SPACE_CONSUMED_WITH_ALL_REPLICAS", "FULL_PATH_NAME"});
  }
  for (const Usage& usage : usages) {
    rows.push_back({SizeText(usage.length_bytes, arguments),
                    SizeText(usage.stored_bytes, arguments),
                    usage.shown});
  }
  session.Print(FormatColumns(rows));
}

void RunCount(Session& session, const Arguments& arguments) {
  if (arguments.Has("v")) {
    session.Print(fmt::format(
        "{:>12} {:>12} {:>18} {}\n", "DIR_COUNT", "FILE_COUNT", "CONTENT_SIZE", "PATHNAME"));
  }
  session.ForEach(arguments.operands(), [&](const Item& item) {
    const Totals totals = TotalsBelow(session, item);
    session.Print(fmt::format("{:>12} {:>12} {:>18} {}\n",
                              totals.directories,
                              totals.files,
                              SizeText(totals.length_bytes, arguments),
                              item.shown));
  });
}

}  // namespace slipstream::dfs::cli
