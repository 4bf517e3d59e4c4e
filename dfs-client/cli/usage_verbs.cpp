#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// What has quotas of its own in HDFS; here nothing does.
constexpr std::array<std::string_view, 4> kStorageTypes{"SSD", "DISK", "ARCHIVE", "PROVIDED"};

ContentTotals TotalsBelow(Session& session, const Item& root) {
  ContentTotals totals{.shown = root.shown, .quota = root.status.quota};
  session.Walk(root, [&](const Item& item) {
    if (IsDirectory(item)) {
      ++totals.directories;
      return;
    }
    ++totals.files;
    totals.length_bytes += item.status.length_bytes;
    totals.stored_bytes += item.status.stored_bytes * item.status.replication;
  });
  return totals;
}

void RunDu(Session& session, const Arguments& arguments) {
  std::vector<ContentTotals> usages;
  const std::vector<std::string> home{"."};
  session.ForEach(arguments.operands().empty() ? home : arguments.operands(),
                  [&](const Item& item) {
                    if (arguments.Has("s") || !IsDirectory(item)) {
                      usages.push_back(TotalsBelow(session, item));
                      return;
                    }
                    auto children = session.Children(item);
                    if (!children.ok()) {
                      session.Fail(item.shown, children.status());
                      return;
                    }
                    for (const Item& child : *children)
                      usages.push_back(TotalsBelow(session, child));
                  });
  if (arguments.Has("json")) {
    session.Print(JsonTotals(usages));
    return;
  }
  if (usages.empty()) return;
  const auto size = [&](uint64_t bytes) {
    return arguments.Has("h") ? HumanSize(bytes) : std::to_string(bytes);
  };
  std::vector<std::vector<std::string>> rows;
  if (arguments.Has("v")) {
    rows.push_back({"SIZE", "DISK_SPACE_CONSUMED_WITH_ALL_REPLICAS", "FULL_PATH_NAME"});
  }
  for (const ContentTotals& usage : usages)
    rows.push_back({size(usage.length_bytes), size(usage.stored_bytes), usage.shown});
  session.Print(FormatColumns(rows));
}

void RunDf(Session& session, const Arguments& arguments) {
  auto state = session.client().GetClusterState();
  if (!state.ok()) {
    session.Fail("", state.status());
    return;
  }
  NodeReport all;
  for (const NodeReport& node : state->nodes) {
    if (node.state == NodeState::kDead) continue;
    all.capacity_bytes += node.capacity_bytes;
    all.used_bytes += node.used_bytes;
    all.free_bytes += node.free_bytes;
  }
  if (arguments.Has("json")) {
    session.Print(JsonSpace(session.Uri(""), all));
    return;
  }
  const auto size = [&](uint64_t bytes) {
    return arguments.Has("h") ? HumanSize(bytes) : std::to_string(bytes);
  };
  std::vector<std::vector<std::string>> rows{{"Filesystem", "Size", "Used", "Available", "Use%"}};
  const std::vector<std::string> root{"/"};
  session.ForEach(arguments.operands().empty() ? root : arguments.operands(),
                  [&](const Item& /*item*/) {
                    rows.push_back({session.Uri(""),
                                    size(all.capacity_bytes),
                                    size(all.used_bytes),
                                    size(all.free_bytes),
                                    Percent(all.used_bytes, all.capacity_bytes, 0)});
                  });
  if (rows.size() > 1) session.Print(FormatColumns(rows, {1, 2, 3, 4}));
}

// The storage types that -t asks for, by HDFS's names; nothing where one is none of them.
std::optional<std::vector<std::string>> TypesAskedFor(const std::string& text) {
  if (text.empty() || text == "all") {
    return std::vector<std::string>(kStorageTypes.begin(), kStorageTypes.end());
  }
  std::vector<std::string> types;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string type = text.substr(begin, end - begin);
    begin = end + 1;
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) {
      return static_cast<char>(std::toupper(c));
    });
    if (std::find(kStorageTypes.begin(), kStorageTypes.end(), type) == kStorageTypes.end()) {
      return std::nullopt;
    }
    types.push_back(type);
  }
  return types;
}

void RunCount(Session& session, const Arguments& arguments) {
  const bool only_quotas = arguments.Has("u");
  CountFormat format{.quotas = arguments.Has("q") || only_quotas,
                     .contents = !only_quotas,
                     .human_sizes = arguments.Has("h")};
  if (format.quotas && arguments.Has("t")) {
    auto types = TypesAskedFor(*arguments.Value("t"));
    if (!types.has_value()) {
      session.FailUsage("No enum constant org.apache.hadoop.fs.StorageType." +
                        *arguments.Value("t"));
      return;
    }
    format.storage_types = std::move(*types);
    format.contents = false;
  }
  if (arguments.Has("v") && !arguments.Has("json")) session.Print(CountHeader(format));
  std::vector<ContentTotals> gathered;
  const std::vector<std::string> home{"."};
  session.ForEach(arguments.operands().empty() ? home : arguments.operands(),
                  [&](const Item& item) {
                    // Quotas alone need no walk: the master keeps their sums.
                    const ContentTotals totals =
                        format.contents || arguments.Has("json")
                            ? TotalsBelow(session, item)
                            : ContentTotals{.shown = item.shown, .quota = item.status.quota};
                    if (arguments.Has("json")) {
                      gathered.push_back(totals);
                    } else {
                      session.Print(FormatCount(totals, format));
                    }
                  });
  if (arguments.Has("json")) session.Print(JsonTotals(gathered));
}

}  // namespace

std::vector<Verb> UsageVerbs() {
  return {
      {.names = {"du"},
       .usage = "[-s] [-h] [-v] [-x] [--json] <path> ...",
       .help = "Show how much is stored: bytes, bytes on disk, path.\n"
               "Of a directory, what is in it, each with all below. On disk is what all replicas "
               "take,\n"
               "compressed.\n"
               "-s: of a directory itself\n"
               "-h: sizes for people: 1.5 K\n"
               "-v: with a heading\n"
               "-x: without snapshots (there are none)",
       .flags = {"s", "h", "v", "x", "json"},
       .operands = {},
       .run = RunDu},
      {.names = {"dus"}, .usage = "", .help = "", .replacement = "du -s"},
      {.names = {"df"},
       .usage = "[-h] [--json] [<path> ...]",
       .help = "Show the space of all live datanodes together.\n"
               "-h: sizes for people: 1.5 K",
       .flags = {"h", "json"},
       .operands = {},
       .run = RunDf},
      {.names = {"count"},
       .usage = "[-q] [-h] [-v] [-t [<storage type>]] [-u] [-x] [-e] [-s] [--json] <path> ...",
       .help = "Count directories, files and bytes.\n"
               "DIR_COUNT FILE_COUNT CONTENT_SIZE PATHNAME\n"
               "-q: with quotas in front: QUOTA REM_QUOTA SPACE_QUOTA REM_SPACE_QUOTA\n"
               "-u: the quotas alone, which needs no counting\n"
               "-t: quotas of storage types, with -q or -u (there are none)\n"
               "-h: sizes for people: 1.5 K\n"
               "-v: with a heading\n"
               "-x, -e, -s: no effect (no snapshots, no erasure coding)",
       .flags = {"q", "h", "v", "t?", "u", "x", "e", "s", "json"},
       .operands = {.operands_min = 1},
       .run = RunCount},
  };
}

}  // namespace slipstream::dfs::cli
