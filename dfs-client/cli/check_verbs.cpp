#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

constexpr const char* kDateFormat = "%a %b %d %H:%M:%S %Z %Y";
constexpr const char* kLostAndFound = "/lost+found";

std::string Now() {
  const int64_t now_ms = SystemClock::Get().WallNow().time_since_epoch().count();
  return FormatTime(now_ms, kDateFormat, Zone::kLocal);
}

std::string BlockName(const Block& block) {
  return fmt::format("blk_{}", block.block_id);
}

// As Java prints a float: "100.0", "66.666664".
std::string FloatText(double number) {
  std::string text = fmt::format("{}", static_cast<float>(number));
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string ShareText(uint64_t part, uint64_t whole) {
  if (whole == 0) return "";
  return fmt::format(" ({} %)",
                     FloatText(static_cast<double>(part) * 100 / static_cast<double>(whole)));
}

// FileChecker: `fsck` over one tree: pages from the master, a line for whatever is wrong, the sums.
class FileChecker final {
 public:
  FileChecker(Session& session, const Arguments& arguments, const ClusterState& state)
      : session_(session), arguments_(arguments), state_(state) {}

  Status Check(const std::string& path) {
    FileCheck check{.path = path,
                    .all = arguments_.Has("files") || arguments_.Has("openforwrite"),
                    .with_blocks = arguments_.Has("blocks") || arguments_.Has("locations")};
    do {
      ASSIGN_OR_RETURN(FileCheckPage page, session_.admin().CheckFiles(check));
      for (const CheckedFile& file : page.files)
        Show(file);
      Add(page);
      check.cursor = std::move(page.next_cursor);
    } while (!check.cursor.empty());
    return {};
  }

  bool is_healthy() const { return totals_.missing_blocks == 0; }
  const std::vector<std::string>& bad_lines() const { return bad_lines_; }

  std::string Summary() const {
    const FileCheckPage& sum = totals_;
    const uint64_t blocks = sum.block_count;
    std::string out = fmt::format("\nStatus: {}\n", is_healthy() ? "HEALTHY" : "CORRUPT");
    std::set<std::string> racks;
    for (const NodeReport& node : state_.nodes)
      racks.insert(node.rack);
    out += fmt::format(
        " Number of data-nodes:\t{}\n Number of racks:\t\t{}\n Total dirs:\t\t\t{}\n"
        " Total symlinks:\t\t0\n\nReplicated Blocks:\n Total size:\t{} B\n Total files:\t{}\n"
        " Total blocks (validated):\t{}",
        state_.nodes.size(),
        racks.size(),
        sum.directory_count,
        sum.raw_bytes,
        sum.file_count,
        blocks);
    if (blocks > 0) out += fmt::format(" (avg. block size {} B)", sum.raw_bytes / blocks);
    if (bad_files_ > 0) {
      out += fmt::format(
          "\n  ********************************\n  CORRUPT FILES:\t{}\n  MISSING BLOCKS:\t{}\n"
          "  MISSING SIZE:\t\t{} B\n  ********************************",
          bad_files_,
          sum.missing_blocks,
          missing_bytes_);
    }
    const uint64_t present = blocks - std::min(blocks, sum.missing_blocks);
    const uint64_t missing_replicas =
        sum.wanted_replicas - std::min(sum.wanted_replicas, sum.good_replicas);
    out +=
        fmt::format("\n Minimally replicated blocks:\t{}{}", present, ShareText(present, blocks));
    out += fmt::format("\n Over-replicated blocks:\t{}{}",
                       sum.over_replicated_blocks,
                       ShareText(sum.over_replicated_blocks, blocks));
    out += fmt::format("\n Under-replicated blocks:\t{}{}",
                       sum.under_replicated_blocks,
                       ShareText(sum.under_replicated_blocks, blocks));
    out += fmt::format("\n Mis-replicated blocks:\t\t0{}", ShareText(0, blocks));
    out += fmt::format(
        "\n Default replication factor:\t{}\n Average block replication:\t{}\n"
        " Missing blocks:\t\t{}\n Corrupt blocks:\t\t{}\n Missing replicas:\t\t{}{}\n"
        " Blocks queued for replication:\t{}\n",
        state_.default_replication,
        FloatText(
            blocks == 0 ? 0 : static_cast<double>(sum.good_replicas) / static_cast<double>(blocks)),
        sum.missing_blocks,
        sum.corrupt_blocks,
        missing_replicas,
        ShareText(missing_replicas, sum.wanted_replicas),
        state_.pending_repairs);
    return out;
  }

 private:
  void Add(const FileCheckPage& page) {
    totals_.file_count += page.file_count;
    totals_.directory_count += page.directory_count;
    totals_.block_count += page.block_count;
    totals_.raw_bytes += page.raw_bytes;
    totals_.under_replicated_blocks += page.under_replicated_blocks;
    totals_.over_replicated_blocks += page.over_replicated_blocks;
    totals_.missing_blocks += page.missing_blocks;
    totals_.corrupt_blocks += page.corrupt_blocks;
    totals_.good_replicas += page.good_replicas;
    totals_.wanted_replicas += page.wanted_replicas;
  }

  void Print(const std::string& text) {
    if (!arguments_.Has("list-corruptfileblocks")) session_.Print(text);
  }

  void Show(const CheckedFile& file) {
    const bool shows_files = arguments_.Has("files");
    if (file.status.kind == FileKind::kDirectory) {
      if (shows_files) Print(file.path + " <dir>\n");
      return;
    }
    const bool is_open = !file.status.writer.empty();
    const bool has_line = shows_files || (is_open && arguments_.Has("openforwrite"));
    if (has_line) {
      Print(fmt::format("{} {} bytes, replicated: replication={}, {} block(s){}: ",
                        file.path,
                        file.status.length_bytes,
                        file.status.replication,
                        file.status.block_count,
                        is_open && arguments_.Has("openforwrite") ? ", OPENFORWRITE" : ""));
    }
    ShowTrouble(file, has_line);
    if (file.missing_blocks > 0) {
      const std::string what = fmt::format(
          "MISSING {} blocks of total size {} B.", file.missing_blocks, file.missing_bytes);
      Print(has_line ? fmt::format(" {}\n", what) : fmt::format("\n{}: {}\n", file.path, what));
      ++bad_files_;
      missing_bytes_ += file.missing_bytes;
      if (!is_open) Act(file);
    } else if (has_line && file.under_replicated_blocks == 0) {
      Print(" OK\n");
    }
    if (arguments_.Has("blocks")) ShowBlocks(file);
  }

  void ShowTrouble(const CheckedFile& file, bool has_line) {
    for (const CheckedBlock& block : file.blocks) {
      const std::string name = BlockName(block.located.block);
      const uint32_t found = block.good + block.leaving;
      if (found == 0) {
        bad_lines_.push_back(fmt::format("{}\t{}", name, file.path));
        // Who had it: the nodes to wait for.
        for (const std::string& node : block.located.missing_node_ids)
          Print(fmt::format("\n{}: {} was last on datanode {}\n", file.path, name, node));
      } else if (found < block.wanted) {
        Print(
            fmt::format("{} Under replicated {}. Target Replicas is {} but found {} live "
                        "replica(s), 0 decommissioned replica(s), {} decommissioning "
                        "replica(s).\n",
                        has_line ? "" : "\n" + file.path + ": ",
                        name,
                        block.wanted,
                        block.good,
                        block.leaving));
      }
    }
  }

  void ShowBlocks(const CheckedFile& file) {
    size_t index = 0;
    for (const CheckedBlock& block : file.blocks) {
      const LocatedBlock& located = block.located;
      std::string line =
          fmt::format("{}. {} len={}", index++, BlockName(located.block), located.length_bytes);
      if (block.good + block.leaving == 0) {
        line += " MISSING!";
      } else {
        line += fmt::format(" Live_repl={}", block.good);
        if (arguments_.Has("locations")) {
          line += "  [";
          for (size_t i = 0; i < located.nodes.size(); ++i) {
            line += fmt::format("{}DatanodeInfoWithStorage[{},{},DISK]",
                                i == 0 ? "" : ", ",
                                located.nodes[i].address,
                                located.nodes[i].node_id);
          }
          line += "]";
        }
      }
      Print(line + "\n");
    }
    Print("\n");
  }

  // -delete and -move: what is left of a file whose blocks are gone. Moved whole: when the nodes
  // that have its blocks come back, it can be read again.
  void Act(const CheckedFile& file) {
    Status status;
    if (arguments_.Has("delete")) {
      status = session_.client().Delete(file.path, false);
    } else if (arguments_.Has("move")) {
      const std::string target = kLostAndFound + file.path;
      status = session_.client().MakeDirectory(std::string(ParentPath(target)), true).status();
      if (status.ok()) status = session_.client().Rename(file.path, target, false);
    }
    if (!status.ok()) session_.Fail(file.path, status);
  }

  Session& session_;
  const Arguments& arguments_;
  const ClusterState& state_;
  FileCheckPage totals_;
  uint64_t bad_files_ = 0;
  uint64_t missing_bytes_ = 0;
  std::vector<std::string> bad_lines_;
};

void RunFsck(Session& session, const Arguments& arguments) {
  constexpr int kCorrupt = 1;
  const std::string operand = arguments.operands().empty() ? "/" : arguments.operands().front();
  auto item = session.Find(operand);
  if (item.status().code() == Code::kNotFound) {
    session.Print(fmt::format("\n\nPath '{}' does not exist\n", operand));
    return;
  }
  auto state = session.client().GetClusterState();
  if (!item.ok() || !state.ok()) {
    session.Fail(operand, item.ok() ? state.status() : item.status());
    session.SetExitCode(255);
    return;
  }
  const SteadyTime started = SystemClock::Get().Now();
  const bool lists_only = arguments.Has("list-corruptfileblocks");
  if (!lists_only) {
    session.Print(
        fmt::format("FSCK started by {} for path {} at {}\n", session.user(), item->path, Now()));
  }
  FileChecker checker(session, arguments, *state);
  if (const Status status = checker.Check(item->path); !status.ok()) {
    session.Fail(operand, status);
    session.SetExitCode(255);
    return;
  }
  if (lists_only) {
    for (const std::string& line : checker.bad_lines())
      session.Print(line + "\n");
    const size_t count = checker.bad_lines().size();
    session.Print(fmt::format("The filesystem under path '{}' has {} CORRUPT files\n",
                              item->path,
                              count == 0 ? "0" : std::to_string(count)));
  } else {
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(SystemClock::Get().Now() - started);
    session.Print(checker.Summary());
    session.Print(fmt::format("FSCK ended at {} in {} milliseconds\n\n\n", Now(), took.count()));
    session.Print(fmt::format("The filesystem under path '{}' is {}\n",
                              item->path,
                              checker.is_healthy() ? "HEALTHY" : "CORRUPT"));
  }
  if (!checker.is_healthy()) session.SetExitCode(kCorrupt);
}

}  // namespace

std::vector<Verb> CheckVerbs() {
  return {{.names = {"fsck"},
           .usage = "<path> [-list-corruptfileblocks | [-move | -delete] [-files [-blocks "
                    "[-locations]]]] [-openforwrite]",
           .help = "Check the files below a path against what the datanodes have.\n"
                   "-files: every file; -blocks: its blocks; -locations: where they are\n"
                   "-list-corruptfileblocks: only blocks without any replica, and their files\n"
                   "-openforwrite: say of files that they are being written\n"
                   "-move: move files with missing blocks below /lost+found; -delete: delete them\n"
                   "Exit code: 0 healthy (or no such path), 1 corrupt, 255 could not be checked.",
           .flags = {"files",
                     "blocks",
                     "locations",
                     "list-corruptfileblocks",
                     "openforwrite",
                     "move",
                     "delete"},
           .operands = {.operands_max = 1, .flag_rule = Arguments::FlagRule::kAnywhere},
           .run = RunFsck}};
}

}  // namespace slipstream::dfs::cli
