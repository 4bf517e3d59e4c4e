#include <algorithm>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"
#include "dfs-client/cli/json_format.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

bool IsDirectory(const Item& item) {
  return item.status.kind == FileKind::kDirectory;
}

// Lister: `ls` over its operands. What --json prints is gathered, since it is one document.
class Lister final {
 public:
  Lister(Session& session, const Arguments& arguments)
      : session_(session),
        arguments_(arguments),
        format_{.paths_only = arguments.Has("C"),
                .human_sizes = arguments.Has("h"),
                .mask_unprintable = arguments.Has("q")} {}

  void ListOperand(const Item& item) {
    if (IsDirectory(item) && !arguments_.Has("d")) {
      ListDirectory(item);
    } else {
      Show({item});
    }
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
    Sort(*children);
    const bool is_recursive = arguments_.Has("R");
    if (!is_recursive && !children->empty() && !format_.paths_only && !arguments_.Has("json")) {
      session_.Print(fmt::format("Found {} items\n", children->size()));
    }
    Show(*children);
    if (!is_recursive) return;
    for (const Item& child : *children) {
      if (IsDirectory(child)) ListDirectory(child);
    }
  }

  void Sort(std::vector<Item>& items) const {
    if (arguments_.Has("t")) {
      std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return a.status.modified_at_ms > b.status.modified_at_ms;
      });
    } else if (arguments_.Has("S")) {
      std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return a.status.length_bytes > b.status.length_bytes;
      });
    }
    if (arguments_.Has("r")) std::reverse(items.begin(), items.end());
  }

  void Show(const std::vector<Item>& items) {
    if (arguments_.Has("json")) {
      gathered_.insert(gathered_.end(), items.begin(), items.end());
    } else {
      session_.Print(FormatListing(items, format_));
    }
  }

  Session& session_;
  const Arguments& arguments_;
  const ListFormat format_;
  std::vector<Item> gathered_;
};

}  // namespace

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
  std::vector<Item> gathered;
  session.ForEach(operands, [&](const Item& item) {
    if (arguments.Has("json")) {
      gathered.push_back(item);
    } else {
      session.Print(FormatStat(format, item) + "\n");
    }
  });
  if (arguments.Has("json")) session.Print(JsonListing(gathered));
}

void RunTest(Session& session, const Arguments& arguments) {
  auto item = session.Find(arguments.operands().front());
  if (!item.ok()) {
    if (item.status().code() == Code::kNotFound) {
      session.SetFailed();
    } else {
      session.Fail(arguments.operands().front(), item.status());
    }
    return;
  }
  // Nobody is asked for permission yet, so -r and -w hold for whatever exists, as -e does.
  const bool is_directory = IsDirectory(*item);
  const bool holds = !(arguments.Has("d") && !is_directory) &&
                     !(arguments.Has("f") && is_directory) &&
                     !(arguments.Has("s") && !is_directory && item->status.length_bytes == 0) &&
                     !(arguments.Has("z") && item->status.length_bytes != 0);
  if (!holds) session.SetFailed();
}

}  // namespace slipstream::dfs::cli
