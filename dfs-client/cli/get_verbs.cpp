#include <atomic>
#include <filesystem>
#include <memory>
#include <utility>

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

// Larger files are fetched in ranges of this side by side; of which each piece is read at once.
constexpr uint64_t kRangeBytes = 64ULL << 20;
constexpr uint64_t kPieceBytes = 16ULL << 20;

struct GetOptions {
  bool replaces = false;
  bool preserves = false;
  bool writes_crc = false;
  size_t threads = CopyPool::kThreadsDefault;
};

Status FinishFile(const std::string& local, const FileStatus& status, const GetOptions& options) {
  if (options.writes_crc) RETURN_IF_ERROR(WriteCrcFile(local));
  return options.preserves ? SetLocalAttributes(local, status) : Status();
}

// A large file on its way, shared by the copies of its ranges; the last one finishes it.
struct RangedFile {
  Item item;
  std::string local;
  std::unique_ptr<IncomingFile> file;
  std::atomic<size_t> ranges_left;
  std::atomic<bool> has_failed = false;
};

// Downloader: copies files and trees to local places.
class Downloader final {
 public:
  Downloader(Session& session, const GetOptions& options)
      : session_(session), options_(options), pool_(session, options.threads) {}

  // `local` as it is shown.
  void Copy(const Item& item, const std::string& local) {
    if (IsDirectory(item)) {
      CopyDirectory(item, local);
    } else {
      CopyFile(item, local);
    }
  }

  // What cannot be copied, in its turn.
  void Fail(const std::string& shown, const Status& status) { pool_.AddFailure(shown, status); }

  void Finish() {
    pool_.Finish();
    if (!options_.preserves) return;
    // Those below first: giving a directory its times must come after all that changes it.
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
      const Status status = SetLocalAttributes(directory->second, directory->first);
      if (!status.ok()) session_.Fail(status.message());
    }
  }

 private:
  void CopyDirectory(const Item& directory, const std::string& local) {
    std::error_code error;
    if (fs::exists(local, error) && !fs::is_directory(local, error)) {
      Fail("", FailedPrecondition(fmt::format("`{}': Is not a directory", local)));
      return;
    }
    fs::create_directories(local, error);
    if (error) {
      Fail("", FailedPrecondition(fmt::format("{} ({})", local, error.message())));
      return;
    }
    directories_.emplace_back(directory.status, local);
    auto children = session_.Children(directory);
    if (!children.ok()) {
      Fail(directory.shown, children.status());
      return;
    }
    for (const Item& child : *children)
      Copy(child, ChildShown(local, child.status.name));
  }

  void CopyFile(const Item& item, const std::string& local) {
    std::error_code error;
    if (fs::is_directory(local, error) || (!options_.replaces && fs::exists(local, error))) {
      Fail(local, AlreadyExists(""));
      return;
    }
    pool_.progress().Expect(item.shown, item.status.length_bytes);
    if (options_.threads > 1 && item.status.length_bytes > 2 * kRangeBytes) {
      CopyRanges(item, local);
      return;
    }
    pool_.Add([this, item, local] {
      const Status status = Fetch(item, local);
      return status.ok() ? CopyFailures() : FailureOf(item.shown, status);
    });
  }

  Status Fetch(const Item& item, const std::string& local) {
    ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session_.client().OpenFile(item.path));
    ASSIGN_OR_RETURN(std::unique_ptr<IncomingFile> file, IncomingFile::Create(local));
    while (true) {
      ASSIGN_OR_RETURN(std::string chunk, reader->Next());
      if (chunk.empty()) break;
      RETURN_IF_ERROR(file->Write(chunk));
      pool_.progress().Add(chunk.size());
    }
    RETURN_IF_ERROR(file->Commit());
    return FinishFile(local, reader->status(), options_);
  }

  void CopyRanges(const Item& item, const std::string& local) {
    auto file = IncomingFile::Create(local);
    if (!file.ok()) {
      Fail(item.shown, file.status());
      return;
    }
    const uint64_t length = item.status.length_bytes;
    auto shared = std::make_shared<RangedFile>();
    shared->item = item;
    shared->local = local;
    shared->file = std::move(*file);
    shared->ranges_left = (length + kRangeBytes - 1) / kRangeBytes;
    for (uint64_t begin = 0; begin < length; begin += kRangeBytes) {
      const uint64_t end = std::min(length, begin + kRangeBytes);
      pool_.Add([this, shared, begin, end]() -> CopyFailures {
        if (shared->has_failed) return {};
        const Status status = FetchRange(*shared, begin, end);
        if (status.ok() || shared->has_failed.exchange(true)) return {};
        return FailureOf(shared->item.shown, status);
      });
    }
  }

  Status FetchRange(RangedFile& shared, uint64_t begin, uint64_t end) {
    // By inode: all ranges are of one file, whatever becomes of its name meanwhile.
    ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader,
                     session_.client().OpenFile(shared.item.status.inode_id));
    while (begin < end) {
      ASSIGN_OR_RETURN(std::string piece,
                       reader->ReadAt(begin, std::min(kPieceBytes, end - begin)));
      if (piece.empty()) return FailedPrecondition("the file was cut while it was read");
      RETURN_IF_ERROR(shared.file->WriteAt(begin, piece));
      begin += piece.size();
      pool_.progress().Add(piece.size());
    }
    if (--shared.ranges_left > 0) return {};
    RETURN_IF_ERROR(shared.file->Commit());
    return FinishFile(shared.local, shared.item.status, options_);
  }

  Session& session_;
  const GetOptions options_;
  std::vector<std::pair<FileStatus, std::string>> directories_;
  CopyPool pool_;  // last: its copies use the above
};

Status PrintFile(Session& session, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(path));
  while (true) {
    ASSIGN_OR_RETURN(const std::string chunk, reader->Next());
    if (chunk.empty()) return {};
    session.Print(chunk);
  }
}

void GetToStdout(Session& session, std::span<const Source> sources) {
  for (const Source& source : sources) {
    if (session.is_master_gone()) return;
    if (!source.item.has_value()) {
      session.Fail(source.shown, NotFound(source.shown));
    } else if (IsDirectory(*source.item)) {
      session.Fail(fmt::format("`{}': Is a directory", source.shown));
    } else if (const Status status = PrintFile(session, source.item->path); !status.ok()) {
      session.Fail(source.shown, status);
    }
  }
}

void RunGet(Session& session, const Arguments& arguments) {
  auto threads = ThreadsAskedFor(arguments);
  if (!threads.ok()) {
    session.FailUsage(threads.status().message());
    return;
  }
  // -ignoreCrc has no effect: what is read is always verified.
  const GetOptions options{.replaces = arguments.Has("f"),
                           .preserves = arguments.Has("p"),
                           .writes_crc = arguments.Has("crc"),
                           .threads = *threads};
  const CopyOperands operands = SplitOperands(arguments.operands());
  const std::vector<Source> sources = ExpandSources(session, operands.sources);
  if (operands.destination == "-") {
    GetToStdout(session, sources);
    return;
  }
  const Destination target = LocalDestination(operands.destination);
  const Existing existing = options.replaces ? Existing::kReplace : Existing::kRefuse;
  if (!CheckDestination(session, target, sources.size(), existing)) return;

  Downloader downloader(session, options);
  for (const Source& source : sources) {
    if (!source.item.has_value()) {
      downloader.Fail(source.shown, NotFound(source.shown));
      continue;
    }
    downloader.Copy(*source.item, target.ShownFor(std::string(BaseName(source.item->path))));
  }
  downloader.Finish();
}

// Appends a file to a local one; false after an error, reported.
bool AppendTo(IncomingFile& out, Session& session, const Item& item) {
  const auto append = [&]() -> Status {
    ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(item.path));
    while (true) {
      ASSIGN_OR_RETURN(std::string chunk, reader->Next());
      if (chunk.empty()) return {};
      RETURN_IF_ERROR(out.Write(chunk));
    }
  };
  const Status status = append();
  if (!status.ok()) session.Fail(item.shown, status);
  return status.ok();
}

void RunGetMerge(Session& session, const Arguments& arguments) {
  const CopyOperands operands = SplitOperands(arguments.operands());
  std::error_code error;
  if (fs::is_directory(operands.destination, error)) {
    session.Fail(fmt::format("`{}': Is a directory", operands.destination));
    return;
  }
  // All are looked up before anything is written: a name that is not there stops the whole.
  std::vector<Item> files;
  for (const Source& source : ExpandSources(session, operands.sources)) {
    if (!source.item.has_value()) {
      session.Fail(fmt::format("`{}': No such file or directory", source.shown));
    } else if (!IsDirectory(*source.item)) {
      files.push_back(*source.item);
    } else if (auto children = session.Children(*source.item); !children.ok()) {
      session.Fail(source.shown, children.status());
    } else {
      std::copy_if(children->begin(), children->end(), std::back_inserter(files), [](auto& item) {
        return !IsDirectory(item);
      });
    }
  }
  if (session.has_failed()) return;
  auto out = IncomingFile::Create(operands.destination);
  if (!out.ok()) {
    session.Fail(out.status().message());
    return;
  }
  for (const Item& file : files) {
    if (!AppendTo(**out, session, file)) return;
    const bool is_skipped = file.status.length_bytes == 0 && arguments.Has("skip-empty-file");
    if (!arguments.Has("nl") || is_skipped) continue;
    if (const Status status = (*out)->Write("\n"); !status.ok()) {
      session.Fail(status.message());
      return;
    }
  }
  if (const Status status = (*out)->Commit(); !status.ok()) session.Fail(status.message());
}

}  // namespace

std::vector<Verb> GetVerbs() {
  return {
      {.names = {"get", "copyToLocal"},
       .usage = "[-f] [-p] [-crc] [-ignoreCrc] [-t <thread count>] [-q <thread pool queue size>] "
                "<src> ... <localdst>",
       .help = "Copy files and directories to this machine.\n"
               "Several go into a directory.\n"
               "-f: replace what is there\n"
               "-p: keep times, owner, group and mode\n"
               "-crc: write .NAME.crc beside each file, as Hadoop's local file system has it\n"
               "-ignoreCrc: no effect: what is read is always verified\n"
               "-t: copies at a time (4); large files in ranges, side by side\n"
               "-q: no effect\n"
               "A file appears under its name when it is whole. `-' is standard output. Without a\n"
               "destination: here.",
       .flags = {"f", "p", "crc", "ignoreCrc", "t?", "q?"},
       .operands = {.operands_min = 1},
       .run = RunGet},
      {.names = {"getmerge"},
       .usage = "[-nl] [-skip-empty-file] <src> <localdst>",
       .help = "Write files one behind the other into one local file.\n"
               "Of directories, the files in them.\n"
               "-nl: a line end behind each\n"
               "-skip-empty-file: none behind empty ones",
       .flags = {"nl", "skip-empty-file"},
       .operands = {.operands_min = 2},
       .run = RunGetMerge},
  };
}

}  // namespace slipstream::dfs::cli
