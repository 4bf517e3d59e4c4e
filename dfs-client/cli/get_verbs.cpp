#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/progress_bar.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kHeadBytes = 1024;

bool IsDirectory(const Item& item) {
  return item.status.kind == FileKind::kDirectory;
}

// Downloader: copies files and trees to local places.
class Downloader final {
 public:
  Downloader(Session& session, bool replaces) : session_(session), replaces_(replaces) {}

  void Copy(const Item& item, const fs::path& local) {
    if (IsDirectory(item)) {
      CopyDirectory(item, local);
    } else {
      CopyFile(item, local);
    }
  }

 private:
  void CopyDirectory(const Item& directory, const fs::path& local) {
    std::error_code error;
    fs::create_directories(local, error);
    if (error) {
      session_.Fail(fmt::format("{}: {}", local.string(), error.message()));
      return;
    }
    auto children = session_.Children(directory);
    if (!children.ok()) {
      session_.Fail(directory.shown, children.status());
      return;
    }
    for (const Item& child : *children)
      Copy(child, local / child.status.name);
  }

  void CopyFile(const Item& item, const fs::path& local) {
    std::error_code error;
    if (fs::is_directory(local, error)) {
      session_.Fail(fmt::format("`{}': Is a directory", local.string()));
      return;
    }
    if (!replaces_ && fs::exists(local, error)) {
      session_.Fail(fmt::format("`{}': File exists", local.string()));
      return;
    }
    auto file = IncomingFile::Create(local.string());
    if (!file.ok()) {
      session_.Fail(local.string(), file.status());
      return;
    }
    const Status status = Fetch(item, **file);
    if (!status.ok()) session_.Fail(item.shown, status);
  }

  Status Fetch(const Item& item, IncomingFile& file) {
    ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session_.client().OpenFile(item.path));
    ProgressBar progress(item.shown, reader->status().length_bytes);
    while (true) {
      ASSIGN_OR_RETURN(std::string chunk, reader->Next());
      if (chunk.empty()) return file.Commit();
      RETURN_IF_ERROR(file.Write(chunk));
      progress.Add(chunk.size());
    }
  }

  Session& session_;
  const bool replaces_;
};

// Prints `length_bytes` of a file from `offset_bytes` on.
Status PrintRange(Session& session,
                  const Item& item,
                  uint64_t offset_bytes,
                  uint64_t length_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(item.path));
  ASSIGN_OR_RETURN(std::string bytes, reader->ReadAt(offset_bytes, length_bytes));
  session.Print(bytes);
  return {};
}

Status PrintAll(Session& session, const Item& item) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(item.path));
  while (true) {
    ASSIGN_OR_RETURN(std::string chunk, reader->Next());
    if (chunk.empty()) return {};
    session.Print(chunk);
  }
}

void PrintFiles(Session& session,
                const Arguments& arguments,
                const std::function<Status(const Item&)>& print) {
  session.ForEach(arguments.operands(), [&](const Item& item) {
    if (IsDirectory(item)) {
      session.Fail(fmt::format("`{}': Is a directory", item.shown));
      return;
    }
    const Status status = print(item);
    if (!status.ok()) session.Fail(item.shown, status);
  });
}

}  // namespace

void RunGet(Session& session, const Arguments& arguments) {
  std::vector<std::string> sources = arguments.operands();
  if (sources.size() == 1) sources.emplace_back(".");
  const fs::path target = sources.back();
  sources.pop_back();

  std::error_code error;
  const bool is_into_directory = fs::is_directory(target, error);
  if (!is_into_directory && sources.size() > 1) {
    session.Fail(fmt::format(
        "`{}': {}",
        target.string(),
        fs::exists(target, error) ? "Is not a directory" : "No such file or directory"));
    return;
  }
  Downloader downloader(session, arguments.Has("f"));
  session.ForEach(sources, [&](const Item& item) {
    downloader.Copy(item, is_into_directory ? target / item.status.name : target);
  });
}

void RunCat(Session& session, const Arguments& arguments) {
  PrintFiles(session, arguments, [&](const Item& item) { return PrintAll(session, item); });
}

void RunHead(Session& session, const Arguments& arguments) {
  PrintFiles(session, arguments, [&](const Item& item) {
    return PrintRange(session, item, 0, kHeadBytes);
  });
}

void RunTail(Session& session, const Arguments& arguments) {
  PrintFiles(session, arguments, [&](const Item& item) {
    const uint64_t length = item.status.length_bytes;
    return PrintRange(session, item, length - std::min(length, kHeadBytes), kHeadBytes);
  });
}

}  // namespace slipstream::dfs::cli
