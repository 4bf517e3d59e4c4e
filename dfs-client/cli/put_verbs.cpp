#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dfs-client/cli/copy_pool.h"
#include "dfs-client/cli/destination.h"
#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

struct PutOptions {
  bool replaces = false;
  bool preserves = false;
  bool moves = false;  // what was copied is deleted here
  size_t threads = CopyPool::kThreadsDefault;
  int level = 3;             // zstd's
  uint32_t replication = 0;  // 0: the master's default
};

// A place in the file system, and how it is shown.
struct Place {
  std::string path;
  std::string shown;

  Place Child(const std::string& name) const {
    return {.path = JoinPath(path, name), .shown = ChildShown(shown, name)};
  }
};

// Uploader: copies local files and trees to places in the file system.
class Uploader final {
 public:
  Uploader(Session& session, const PutOptions& options)
      : session_(session), options_(options), pool_(session, options.threads) {}

  void Copy(const std::string& local, const Place& place) {
    std::error_code error;
    if (local != "-" && fs::is_directory(local, error)) {
      CopyDirectory(local, place);
    } else {
      CopyFile(local, place);
    }
  }

  void Finish() {
    pool_.Finish();
    // Those below first: what is done to a directory must come after all that changes it.
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
      const auto& [local, path] = *directory;
      if (options_.preserves) {
        const Status status = Preserve(local, path);
        if (!status.ok()) session_.Fail(local, status);
      }
      // What could not be copied is still there, and keeps its directory.
      std::error_code error;
      if (options_.moves && !session_.has_failed()) fs::remove(local, error);
      if (error) session_.Fail(fmt::format("remove `{}': {}", local, error.message()));
    }
  }

 private:
  void CopyDirectory(const std::string& local, const Place& place) {
    auto existing = session_.client().Stat(place.path);
    if (existing.ok() && (options_.moves || existing->kind == FileKind::kFile)) {
      session_.Fail(fmt::format(
          "`{}': {}", place.shown, options_.moves ? "File exists" : "Is not a directory"));
      return;
    }
    const Status made = session_.client().MakeDirectory(place.path, true).status();
    if (!made.ok()) {
      session_.Fail(place.shown, made);
      return;
    }
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(local, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) {
      session_.Fail(fmt::format("{} ({})", local, error.message()));
      return;
    }
    directories_.emplace_back(local, place.path);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
      Copy(ChildShown(local, name), place.Child(name));
  }

  void CopyFile(const std::string& local, const Place& place) {
    std::error_code error;
    const uint64_t size = local == "-" ? 0 : fs::file_size(local, error);
    pool_.progress().Expect(place.shown, error ? 0 : size);
    pool_.Add([this, local, place] { return CopyNow(local, place); });
  }

  std::optional<CopyFailure> CopyNow(const std::string& local, const Place& place) {
    auto file = OutgoingFile::Open(local);
    if (!file.ok()) {
      if (file.status().code() == Code::kNotFound) {
        return CopyFailure{.shown = local, .status = file.status()};
      }
      return CopyFailure{.shown = "", .status = file.status()};
    }
    // Before the bytes go anywhere; what happens meanwhile shows when the file is closed.
    auto existing = session_.client().Stat(place.path);
    if (existing.ok() && (existing->kind == FileKind::kDirectory || !options_.replaces)) {
      return CopyFailure{.shown = place.shown, .status = AlreadyExists("")};
    }
    if (!existing.ok() && existing.status().code() != Code::kNotFound) {
      return CopyFailure{.shown = place.shown, .status = existing.status()};
    }
    const Status status = Send(**file, local, place.path);
    if (!status.ok()) return CopyFailure{.shown = place.shown, .status = status};
    if (options_.moves && std::remove(local.c_str()) != 0) {
      return CopyFailure{
          .shown = "",
          .status = FailedPrecondition(fmt::format("remove `{}': Input/output error", local))};
    }
    return std::nullopt;
  }

  Status Send(OutgoingFile& file, const std::string& local, const std::string& path) {
    auto writer = session_.client().CreateFile(path,
                                               {.replace = options_.replaces,
                                                .compression_level = options_.level,
                                                .replication = options_.replication});
    while (true) {
      ASSIGN_OR_RETURN(std::string_view bytes, file.Read());
      if (bytes.empty()) break;
      RETURN_IF_ERROR(writer->Write(bytes));
      pool_.progress().Add(bytes.size());
    }
    RETURN_IF_ERROR(writer->Close());
    return options_.preserves && local != "-" ? Preserve(local, path) : Status();
  }

  Status Preserve(const std::string& local, const std::string& path) {
    ASSIGN_OR_RETURN(const AttributeChange change, LocalAttributes(local));
    return session_.client().SetAttributes(path, change).status();
  }

  Session& session_;
  const PutOptions options_;
  std::vector<std::pair<std::string, std::string>> directories_;  // local, remote
  CopyPool pool_;                                                 // last: its copies use the above
};

// Canonical, so that `put . dir` and `put x/ dir` have a name to take.
std::string NameOf(const std::string& local) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(local, error);
  return canonical.has_filename() ? canonical.filename().string()
                                  : canonical.parent_path().filename().string();
}

void Put(Session& session, const std::vector<std::string>& words, const PutOptions& options) {
  const CopyOperands operands = SplitOperands(words);
  const auto target = RemoteDestination(session, operands.destination);
  if (!target.has_value()) return;
  const Existing existing = options.replaces ? Existing::kReplace : Existing::kRefuse;
  if (!CheckDestination(session, *target, operands.sources.size(), existing)) return;

  Uploader uploader(session, options);
  for (const std::string& local : operands.sources) {
    std::error_code error;
    const bool is_input = local == "-" && operands.sources.size() == 1;
    if (!is_input && !fs::exists(local, error)) {
      session.Fail(fmt::format("`{}': No such file or directory", local));
      continue;
    }
    const std::string name = is_input ? "-" : NameOf(local);
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
       .help = "Copy local files and directories; with several, into a directory. `-' is standard "
               "input.\n"
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
