#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include <fmt/format.h>
#include <limits.h>

#include "common/clock/clock.h"
#include "dfs-client/cli/block_check.h"
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

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
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
                    .with_blocks = arguments_.Has("blocks") || ShowsReplicas()};
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
    if (sum.closed_directory_count > 0) {
      out += fmt::format(" Dirs not looked into (permission denied):\t{}\n",
                         sum.closed_directory_count);
    }
    size_t live_nodes = 0;
    std::set<std::string> racks;
    for (const NodeReport& node : state_.nodes) {
      if (node.state == NodeState::kDead) continue;
      ++live_nodes;
      racks.insert(node.rack);
    }
    out += fmt::format(
        " Number of data-nodes:\t{}\n Number of racks:\t\t{}\n Total dirs:\t\t\t{}\n"
        " Total symlinks:\t\t0\n\nReplicated Blocks:\n Total size:\t{} B\n Total files:\t{}\n"
        " Total blocks (validated):\t{}",
        live_nodes,
        racks.size(),
        sum.directory_count,
        sum.raw_bytes,
        sum.file_count,
        blocks);
    if (blocks > 0) out += fmt::format(" (avg. block size {} B)", sum.raw_bytes / blocks);
    if (bad_files_ > 0) out += StarredSummary();
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
        sum.missing_blocks - std::min(sum.missing_blocks, corrupt_.blocks),
        corrupt_.blocks,
        missing_replicas,
        ShareText(missing_replicas, sum.wanted_replicas),
        state_.pending_repairs);
    return out;
  }

 private:
  // Blocks that cannot be read: nobody has them, or everybody has them wrong.
  struct Lost {
    uint64_t blocks = 0;
    uint64_t bytes = 0;

    void Add(const Lost& more) {
      blocks += more.blocks;
      bytes += more.bytes;
    }
    // "MISSING 1 blocks of total size 15 B"; empty for none.
    std::string Text(const char* what) const {
      if (blocks == 0) return "";
      return fmt::format(" {} {} blocks of total size {} B", what, blocks, bytes);
    }
  };

  std::string StarredSummary() const {
    constexpr const char* kStars = "\n  ********************************";
    const uint64_t lost = missing_.blocks + corrupt_.blocks;
    std::string out = kStars;
    out += fmt::format("\n  UNDER MIN REPL'D BLOCKS:\t{}{}\n  MINIMAL BLOCK REPLICATION:\t1",
                       lost,
                       ShareText(lost, totals_.block_count));
    out += fmt::format("\n  CORRUPT FILES:\t{}", bad_files_);
    if (missing_.blocks > 0) {
      out += fmt::format(
          "\n  MISSING BLOCKS:\t{}\n  MISSING SIZE:\t\t{} B", missing_.blocks, missing_.bytes);
    }
    if (corrupt_.blocks > 0) {
      out += fmt::format(
          "\n  CORRUPT BLOCKS: \t{}\n  CORRUPT SIZE:\t\t{} B", corrupt_.blocks, corrupt_.bytes);
    }
    return out + kStars;
  }

  void Add(const FileCheckPage& page) {
    totals_.file_count += page.file_count;
    totals_.directory_count += page.directory_count;
    totals_.closed_directory_count += page.closed_directory_count;
    totals_.block_count += page.block_count;
    totals_.raw_bytes += page.raw_bytes;
    totals_.under_replicated_blocks += page.under_replicated_blocks;
    totals_.over_replicated_blocks += page.over_replicated_blocks;
    totals_.missing_blocks += page.missing_blocks;
    totals_.corrupt_blocks += page.corrupt_blocks;
    totals_.good_replicas += page.good_replicas;
    totals_.wanted_replicas += page.wanted_replicas;
  }

  bool ShowsReplicas() const {
    return arguments_.Has("locations") || arguments_.Has("racks") ||
           arguments_.Has("replicaDetails");
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
    Lost missing;
    Lost corrupt;
    const std::string waits = ShowTrouble(file, has_line, missing, corrupt);
    if (missing.blocks + corrupt.blocks > 0) {
      for (const std::string& text : {missing.Text("MISSING"), corrupt.Text("CORRUPT")}) {
        if (text.empty()) continue;
        Print(has_line ? text + "\n" : fmt::format("\n{}:{}.", file.path, text));
      }
      Print(waits);
      ++bad_files_;
      missing_.Add(missing);
      corrupt_.Add(corrupt);
      if (!is_open) Act(file);
    } else if (has_line && file.under_replicated_blocks == 0) {
      Print(" OK\n");
    }
    if (arguments_.Has("blocks")) ShowBlocks(file);
  }

  // Counts and shows blocks in trouble; returns the lines that say which datanodes to wait for.
  std::string ShowTrouble(const CheckedFile& file, bool has_line, Lost& missing, Lost& corrupt) {
    std::string waits;
    for (const CheckedBlock& block : file.blocks) {
      const std::string name = BlockName(block.located.block);
      const uint32_t found = block.good + block.leaving;
      if (found == 0) {
        bad_lines_.push_back(fmt::format("{}\t{}", name, file.path));
        const bool is_corrupt = block.corrupt > 0;
        (is_corrupt ? corrupt : missing).Add({.blocks = 1, .bytes = block.located.length_bytes});
        if (is_corrupt) Print(fmt::format("\n{}: CORRUPT block {}\n", file.path, name));
        if (!block.located.missing_node_ids.empty()) {
          waits += fmt::format("{}{}: {} was last on {}{}",
                               has_line ? "" : "\n",
                               file.path,
                               name,
                               NamesOf(block.located.missing_node_ids),
                               has_line ? "\n" : "");
        }
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
    return waits;
  }

  // "10.0.0.1:7410, 10.0.0.2:7410"; ids of those the master has no address of.
  std::string NamesOf(const std::vector<std::string>& node_ids) const {
    std::string out;
    for (const std::string& id : node_ids) {
      const auto known =
          std::find_if(state_.nodes.begin(), state_.nodes.end(), [&](const NodeReport& node) {
            return node.node.node_id == id;
          });
      if (!out.empty()) out += ", ";
      out += known != state_.nodes.end() ? known->node.address : id;
    }
    return out;
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
        if (ShowsReplicas()) {
          line += "  " + FormatReplicas(block,
                                        {.shows_racks = arguments_.Has("racks"),
                                         .shows_states = arguments_.Has("replicaDetails")});
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
    } else if (arguments_.Has("move") && !file.path.starts_with(std::string(kLostAndFound) + "/")) {
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
  Lost missing_;
  Lost corrupt_;
  std::vector<std::string> bad_lines_;
};

std::string StartLine(const Session& session, const std::string& path) {
  return fmt::format("FSCK started by {} (auth:SIMPLE) from {} for path {} at {}\n",
                     session.user(),
                     HostName(),
                     path,
                     Now());
}

void ListBadBlocks(Session& session, const std::string& path, std::span<const std::string> lines) {
  if (!lines.empty()) {
    session.Print(fmt::format("The list of corrupt files under path '{}' are:\n", path));
  }
  for (const std::string& line : lines)
    session.Print(line + "\n");
  session.Print(
      fmt::format("The filesystem under path '{}' has {} CORRUPT files\n", path, lines.size()));
}

void RunFsck(Session& session, const Arguments& arguments) {
  constexpr int kCorrupt = 1;
  if (const auto blocks = arguments.Value("blockId"); blocks.has_value()) {
    session.Print(StartLine(session, "/"));
    return CheckBlocks(session, *blocks);
  }
  const std::string operand = arguments.operands().empty() ? "/" : arguments.operands().front();
  auto item = session.Find(operand);
  if (item.status().code() == Code::kNotFound) {
    session.Print(StartLine(session, operand));
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
  if (!lists_only) session.Print(StartLine(session, item->path));
  FileChecker checker(session, arguments, *state);
  if (const Status status = checker.Check(item->path); !status.ok()) {
    session.Fail(operand, status);
    session.SetExitCode(255);
    return;
  }
  if (lists_only) {
    ListBadBlocks(session, item->path, checker.bad_lines());
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
  return {
      {.names = {"fsck"},
       .usage = "<path> [-list-corruptfileblocks | [-move | -delete] [-files [-blocks "
                "[-locations | -racks | -replicaDetails]]]] [-openforwrite] [-includeSnapshots] "
                "[-showprogress] [-blockId <blk_Id>]",
       .help = "Check files against what the datanodes have.\n"
               "-files: every file; -blocks: its blocks; -locations: where they are\n"
               "-racks: on which racks; -replicaDetails: and how each replica is\n"
               "-blockId: of these blocks (\"blk_1 blk_2\"), the file and the replicas\n"
               "-list-corruptfileblocks: only blocks without any replica, and their files\n"
               "-openforwrite: say of files that they are being written\n"
               "-move: move files with missing blocks below /lost+found; -delete: delete them\n"
               "-includeSnapshots, -showprogress: no effect\n"
               "Exit code: 0 healthy (or no such path), 1 corrupt, 255 could not be checked; of "
               "-blockId, by\nthe last replica: 2 decommissioned, 3 being decommissioned, 4 in "
               "maintenance, 6 on a silent node.",
       .flags = {"files",
                 "blocks",
                 "locations",
                 "racks",
                 "replicaDetails",
                 "blockId=",
                 "list-corruptfileblocks",
                 "openforwrite",
                 "move",
                 "delete",
                 "includeSnapshots",
                 "showprogress"},
       .operands = {.operands_max = 1, .flag_rule = Arguments::FlagRule::kAnywhere},
       .run = RunFsck}};
}

}  // namespace slipstream::dfs::cli
