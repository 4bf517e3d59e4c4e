#include "gateway/charts/file_rows.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "dfs-client/path.h"

namespace slipstream::gateway::charts {
namespace {

std::vector<std::pair<std::string, std::string>> FoldersOf(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> folders;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const size_t equals = part.find('=');
    if (equals != std::string::npos && equals > 0) {
      folders.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    }
    begin = end + 1;
  }
  return folders;
}

}  // namespace

Result<std::vector<FileRows::File>> FileRows::ListFiles() {
  std::vector<File> files;
  std::vector<std::string> directories = {path_};
  ASSIGN_OR_RETURN(const dfs::FileStatus root, client_.Stat(path_));
  if (root.kind != dfs::FileKind::kDirectory) return NotFound(path_ + " is no directory");
  while (!directories.empty()) {
    const std::string directory = std::move(directories.back());
    directories.pop_back();
    dfs::DirectoryIterator entries(client_, directory);
    for (;;) {
      ASSIGN_OR_RETURN(const std::optional<dfs::FileStatus> entry, entries.Next());
      if (!entry.has_value()) break;
      if (entry->name.starts_with('_') || entry->name.starts_with('.')) continue;
      std::string path = dfs::JoinPath(directory, entry->name);
      if (entry->kind == dfs::FileKind::kDirectory) {
        directories.push_back(std::move(path));
      } else if (files.size() < kFilesMax) {
        std::vector<std::pair<std::string, std::string>> folders = FoldersOf(directory);
        files.push_back({.path = std::move(path),
                         .inode_id = entry->inode_id,
                         .truncation_count = entry->truncation_count,
                         .length_bytes = entry->length_bytes,
                         .folders = std::move(folders)});
      }
    }
  }
  return files;
}

bool FileRows::IsAsBefore(const std::vector<File>& files) const {
  std::set<uint64_t> there;
  for (const File& file : files) {
    there.insert(file.inode_id);
    const auto known = positions_.find(file.inode_id);
    if (known == positions_.end()) continue;
    if (known->second.truncation_count != file.truncation_count ||
        known->second.next_bytes > file.length_bytes) {
      return false;
    }
  }
  return std::all_of(positions_.begin(), positions_.end(), [&](const auto& position) {
    return there.contains(position.first);
  });
}

Status FileRows::ReadFile(const File& file,
                          uint64_t& budget,
                          Progress& progress,
                          const Take& take) {
  Position& position = positions_[file.inode_id];
  position.truncation_count = file.truncation_count;
  const uint64_t wanted = std::min(file.length_bytes - position.next_bytes, budget);
  ASSIGN_OR_RETURN(const std::unique_ptr<dfs::FileReader> reader, client_.OpenFile(file.path));
  ASSIGN_OR_RETURN(const std::string text, reader->ReadAt(position.next_bytes, wanted));
  budget -= std::min<uint64_t>(text.size(), budget);
  const int64_t now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch())
          .count();
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    take({.json = std::string_view(text).substr(begin, end - begin),
          .at_ms = now_ms,
          .folders = &file.folders});
    ++progress.rows;
    begin = end + 1;
  }
  // No line has such a length: what there is of it is given up.
  if (begin == 0 && text.size() == kTurnBytes) begin = text.size();
  position.next_bytes += begin;
  return {};
}

Result<RowSource::Progress> FileRows::ReadOn(const Take& take) {
  ASSIGN_OR_RETURN(const std::vector<File> files, ListFiles());
  Progress progress;
  if (!IsAsBefore(files)) {
    positions_.clear();
    progress.must_forget = true;
    progress.is_at_end = false;
    return progress;
  }
  uint64_t budget = kTurnBytes;
  for (const File& file : files) {
    if (file.length_bytes == positions_[file.inode_id].next_bytes) continue;
    if (budget == 0) {
      progress.is_at_end = false;
      break;
    }
    RETURN_IF_ERROR(ReadFile(file, budget, progress, take));
  }
  if (budget == 0) progress.is_at_end = false;
  return progress;
}

}  // namespace slipstream::gateway::charts
