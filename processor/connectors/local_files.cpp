#include "processor/connectors/local_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <fmt/format.h>

namespace slipstream::runtime {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Status SyncFolder(const fs::path& folder) {
  Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd() < 0 || fsync(directory.fd()) != 0) {
    return ErrnoStatus(errno, "sync " + folder.string());
  }
  return {};
}

// Makes the folder and those above it; whichever has got a new entry by that goes to `changed`.
Status MakeFolders(const fs::path& folder, std::set<fs::path>& changed) {
  std::error_code error;
  std::vector<fs::path> missing;
  for (fs::path path = folder; !fs::is_directory(path, error); path = path.parent_path()) {
    if (path == path.parent_path()) return ErrnoStatus(ENOTDIR, "make " + folder.string());
    missing.push_back(path);
  }
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    // Another worker may have made it meanwhile, and died before it was synced.
    fs::create_directory(*path, error);
    if (error) return ErrnoStatus(error.value(), "make " + path->string());
    changed.insert(path->parent_path());
  }
  return {};
}

Status WriteAt(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

}  // namespace

struct LocalFiles::File {
  OpenFile state;
  std::string rows;  // not yet on disk
  bool is_new = false;
  bool is_complete = false;   // it is to be closed, whatever its size and age
  uint64_t last_write = 0;    // of LocalFiles::write_count_; 0: not since it was restored
  int64_t written_at_ms = 0;  // when it got its last row, or was restored
};

LocalFiles::LocalFiles(Options options, FileNamer& namer, std::vector<OpenFile> open_files)
    : targets_(options.targets.begin(), options.targets.end()), namer_(namer) {
  for (OpenFile& state : open_files) {
    if (!targets_.contains(state.sink)) continue;
    auto file = std::make_unique<File>();
    Key key(state.sink, state.partition_path);
    file->written_at_ms = options.now_ms;
    roll_clock_.Add(state, file->written_at_ms, targets_.at(state.sink).spec);
    file->state = std::move(state);
    files_.insert_or_assign(std::move(key), std::move(file));
  }
}

LocalFiles::~LocalFiles() = default;

Status LocalFiles::Restore() {
  for (const auto& [key, file] : files_) {
    const OpenFile& state = file->state;
    std::error_code error;
    const uint64_t size = fs::file_size(state.path, error);
    if (error) return ErrnoStatus(error.value(), "restore " + state.path);
    if (size < state.length_bytes) {
      return DataLoss(
          fmt::format("restore {}: length={} committed={}", state.path, size, state.length_bytes));
    }
    if (size > state.length_bytes &&
        truncate(state.path.c_str(), static_cast<off_t>(state.length_bytes)) != 0) {
      return ErrnoStatus(errno, "truncate " + state.path);
    }
  }
  for (const auto& [sink, target] : targets_)
    RETURN_IF_ERROR(RemoveUnknown(target));
  return {};
}

// A file with a number that no mark has given out was begun by an epoch that never committed.
Status LocalFiles::RemoveUnknown(const FileSinkTarget& target) const {
  std::error_code error;
  fs::recursive_directory_iterator entries(target.folder, error);
  if (error) return {};  // nothing was ever written
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (error) return ErrnoStatus(error.value(), "list " + target.folder);
    const std::string name = entries->path().filename();
    const std::string ending = namer_.suffix() + target.spec.extension;
    if (!name.starts_with(namer_.prefix()) || !name.ends_with(ending)) continue;
    if (name.size() <= namer_.prefix().size() + ending.size()) continue;
    const std::string number =
        name.substr(namer_.prefix().size(), name.size() - namer_.prefix().size() - ending.size());
    if (number.find_first_not_of("0123456789") != std::string::npos || number.size() > 18) continue;
    if (std::stoull(number) < namer_.next_number()) continue;
    fs::remove(entries->path(), error);
    if (error) return ErrnoStatus(error.value(), "remove " + entries->path().string());
  }
  return {};
}

Status LocalFiles::Append(size_t sink,
                          std::string_view partition_path,
                          std::string_view rows,
                          int64_t now_ms) {
  std::unique_ptr<File>& file = files_[Key(sink, partition_path)];
  if (file == nullptr) {
    file = std::make_unique<File>();
    file->is_new = true;
    file->state = {.sink = static_cast<uint32_t>(sink),
                   .partition_path = std::string(partition_path),
                   .path = namer_.Next(targets_.at(sink), partition_path),
                   .opened_at_ms = now_ms};
    roll_clock_.Add(file->state, now_ms, targets_.at(sink).spec);
  }
  file->last_write = ++write_count_;
  file->written_at_ms = now_ms;
  file->rows += rows;
  staged_bytes_ += rows.size();
  return {};
}

Status LocalFiles::WriteFile(File& file, std::set<fs::path>& changed) {
  const std::string& path = file.state.path;
  const fs::path folder = fs::path(path).parent_path();
  int flags = O_WRONLY | O_CLOEXEC;
  if (file.is_new) {
    RETURN_IF_ERROR(MakeFolders(folder, changed));
    changed.insert(folder);
    flags |= O_CREAT | O_EXCL;
  }
  Descriptor descriptor(open(path.c_str(), flags, 0644));
  if (descriptor.fd() < 0 && errno == EEXIST) return Aborted("another owner has made " + path);
  if (descriptor.fd() < 0) return ErrnoStatus(errno, "open " + path);
  struct stat now {};
  if (fstat(descriptor.fd(), &now) != 0) return ErrnoStatus(errno, "stat " + path);
  if (static_cast<uint64_t>(now.st_size) != file.state.length_bytes) {
    return Aborted("another owner has written " + path);
  }
  RETURN_IF_ERROR(WriteAt(descriptor.fd(), file.rows, file.state.length_bytes).WithContext(path));
  if (fdatasync(descriptor.fd()) != 0) return ErrnoStatus(errno, "sync " + path);
  file.state.length_bytes += file.rows.size();
  file.rows.clear();
  file.is_new = false;
  return {};
}

void LocalFiles::CloseSurplus() {
  if (files_.size() <= kOpenFilesMax) return;
  std::vector<uint64_t> writes;
  for (const auto& [key, file] : files_)
    writes.push_back(file->last_write);
  const auto surplus = static_cast<ptrdiff_t>(files_.size() - kOpenFilesMax);
  std::nth_element(writes.begin(), writes.begin() + surplus, writes.end());
  const uint64_t oldest_kept = writes[static_cast<size_t>(surplus)];
  std::erase_if(files_, [&](const auto& entry) { return entry.second->last_write < oldest_kept; });
}

void LocalFiles::Close(size_t sink, const std::string& partition_path) {
  const auto file = files_.find(Key(sink, partition_path));
  if (file != files_.end()) file->second->is_complete = true;
}

Status LocalFiles::Flush(int64_t now_ms, bool is_last) {
  std::set<fs::path> changed;  // folders with new entries
  for (auto entry = files_.begin(); entry != files_.end();) {
    File& file = *entry->second;
    if (!file.rows.empty()) RETURN_IF_ERROR(WriteFile(file, changed));
    const bool is_closing =
        is_last || file.is_complete ||
        IsRollDue(file.state, file.written_at_ms, targets_.at(entry->first.first).spec, now_ms);
    entry = is_closing ? files_.erase(entry) : std::next(entry);
  }
  for (const fs::path& folder : changed)
    RETURN_IF_ERROR(SyncFolder(folder));
  CloseSurplus();
  roll_clock_.Clear();
  for (const auto& [key, file] : files_)
    roll_clock_.Add(file->state, file->written_at_ms, targets_.at(key.first).spec);
  staged_bytes_ = 0;
  return {};
}

std::vector<OpenFile> LocalFiles::open_files() const {
  std::vector<OpenFile> open;
  for (const auto& [key, file] : files_)
    open.push_back(file->state);
  return open;
}

}  // namespace slipstream::runtime
