#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/progress_bar.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

// Uploader: copies local files and trees to places that Plan has chosen.
class Uploader final {
 public:
  Uploader(Session& session, bool replaces) : session_(session), replaces_(replaces) {}

  // `shown` stands for `path` in messages.
  void Copy(const std::string& local, const std::string& path, const std::string& shown) {
    std::error_code error;
    if (local != "-" && fs::is_directory(local, error)) {
      CopyDirectory(local, path, shown);
    } else {
      CopyFile(local, path, shown);
    }
  }

 private:
  void CopyDirectory(const std::string& local, const std::string& path, const std::string& shown) {
    const Status made = session_.client().MakeDirectory(path, /*create_parents=*/true).status();
    if (!made.ok()) {
      session_.Fail(shown, made);
      return;
    }
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(local, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) {
      session_.Fail(fmt::format("{}: {}", local, error.message()));
      return;
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
      Copy((fs::path(local) / name).string(), JoinPath(path, name), JoinPath(shown, name));
  }

  void CopyFile(const std::string& local, const std::string& path, const std::string& shown) {
    auto existing = session_.client().Stat(path);
    if (existing.ok()) {
      if (existing->kind == FileKind::kDirectory) {
        session_.Fail(fmt::format("`{}': Is a directory", shown));
        return;
      }
      if (!replaces_) {
        session_.Fail(fmt::format("`{}': File exists", shown));
        return;
      }
    } else if (existing.status().code() != Code::kNotFound) {
      session_.Fail(shown, existing.status());
      return;
    }
    auto file = OutgoingFile::Open(local);
    if (!file.ok()) {
      session_.Fail(local, file.status());
      return;
    }
    auto writer = session_.client().CreateFile(path, {.replace = replaces_});
    const Status status = Send(**file, *writer, shown);
    if (!status.ok()) session_.Fail(shown, status);
  }

  static Status Send(OutgoingFile& file, FileWriter& writer, const std::string& label) {
    ProgressBar progress(label, file.size_bytes());
    while (true) {
      ASSIGN_OR_RETURN(std::string_view bytes, file.Read());
      if (bytes.empty()) break;
      RETURN_IF_ERROR(writer.Write(bytes));
      progress.Add(bytes.size());
    }
    return writer.Close();
  }

  Session& session_;
  const bool replaces_;
};

}  // namespace

void RunPut(Session& session, const Arguments& arguments) {
  std::vector<std::string> operands = arguments.operands();
  if (operands.size() == 1) operands.emplace_back(".");
  const std::string target = operands.back();
  operands.pop_back();

  auto path = session.Resolve(target);
  if (!path.ok()) {
    session.Fail(target, path.status());
    return;
  }
  auto existing = session.client().Stat(*path);
  if (!existing.ok() && existing.status().code() != Code::kNotFound) {
    session.Fail(target, existing.status());
    return;
  }
  const bool is_into_directory = existing.ok() && existing->kind == FileKind::kDirectory;
  if (!is_into_directory && operands.size() > 1) {
    if (existing.ok()) {
      session.Fail(fmt::format("`{}': Is not a directory", target));
    } else {
      session.Fail(target, existing.status());
    }
    return;
  }
  if (!existing.ok()) {
    const std::string parent(ParentPath(*path));
    auto parent_status = session.client().Stat(parent);
    if (parent_status.status().code() == Code::kNotFound) {
      session.FailForMissingParent(target, *path);
      return;
    }
    if (!parent_status.ok()) {
      session.Fail(parent, parent_status.status());
      return;
    }
  }

  Uploader uploader(session, arguments.Has("f"));
  for (const std::string& local : operands) {
    if (!is_into_directory) {
      uploader.Copy(local, *path, target);
      continue;
    }
    if (local == "-") {
      session.Fail(fmt::format("`{}': Is a directory", target));
      continue;
    }
    // Canonical, so that `put . dir` and `put x/ dir` have a name to take.
    std::error_code error;
    const std::string name = fs::weakly_canonical(local, error).filename().string();
    uploader.Copy(local, JoinPath(*path, name), JoinPath(target, name));
  }
}

}  // namespace slipstream::dfs::cli
