#include "common/fs/memory_file_system.h"

#include <algorithm>
#include <random>
#include <utility>

#include "common/check/check.h"

namespace slipstream {
namespace {
constexpr size_t kSectorBytes = 512;
}  // namespace

// An inode is owned by the names that lead to it, now or after a crash, and by open files.
struct MemoryFileSystem::Inode {
  std::string content;
  std::string durable;
};

class MemoryFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& fs, std::shared_ptr<Inode> inode, std::string path)
      : fs_(fs), inode_(std::move(inode)), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, char* out, size_t length) const override {
    RETURN_IF_ERROR(fs_.Check(Operation::kRead, path_));
    MutexLock lock(fs_.mutex_);
    const std::string& content = inode_->content;
    if (offset >= content.size()) return size_t{0};
    return content.copy(out, length, offset);
  }

  Status Write(uint64_t offset, std::string_view data) override {
    Status fault = fs_.Check(Operation::kWrite, path_);
    MutexLock lock(fs_.mutex_);
    if (fault.ok()) {
      const uint64_t size_after = std::max<uint64_t>(inode_->content.size(), offset + data.size());
      if (fs_.UsedBytes() - inode_->content.size() + size_after > fs_.capacity_bytes_) {
        fault = ResourceExhausted("write " + path_ + ": no space left on device");
      }
    }
    if (!fault.ok()) data = data.substr(0, data.size() / 2);
    if (inode_->content.size() < offset + data.size()) inode_->content.resize(offset + data.size());
    inode_->content.replace(offset, data.size(), data);
    return fault;
  }

  Status Allocate(uint64_t bytes) override {
    MutexLock lock(fs_.mutex_);
    if (fs_.UsedBytes() + bytes > fs_.capacity_bytes_) {
      return ResourceExhausted("allocate " + path_ + ": no space left on device");
    }
    return {};
  }

  Status Truncate(uint64_t bytes) override {
    RETURN_IF_ERROR(fs_.Check(Operation::kTruncate, path_));
    MutexLock lock(fs_.mutex_);
    inode_->content.resize(bytes);
    return {};
  }

  Status Sync() override {
    RETURN_IF_ERROR(fs_.Check(Operation::kSync, path_));
    MutexLock lock(fs_.mutex_);
    inode_->durable = inode_->content;
    return {};
  }

  Result<uint64_t> Size() const override {
    MutexLock lock(fs_.mutex_);
    return inode_->content.size();
  }

 private:
  MemoryFileSystem& fs_;
  const std::shared_ptr<Inode> inode_;
  const std::string path_;
};

class MemoryFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryFileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;
  ~MemoryLock() override {
    MutexLock lock(fs_.mutex_);
    fs_.locks_.erase(path_);
  }

 private:
  MemoryFileSystem& fs_;
  const std::string path_;
};

MemoryFileSystem::MemoryFileSystem(uint64_t capacity_bytes)
    : capacity_bytes_(capacity_bytes), directories_{"/"} {}

Status MemoryFileSystem::Check(Operation operation, const std::string& path) const {
  Fault fault;
  {
    MutexLock lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(operation, path) : Status();
}

uint64_t MemoryFileSystem::UsedBytes() const {
  uint64_t used = 0;
  for (const auto& [path, inode] : names_)
    used += inode->content.size();
  return used;
}

void MemoryFileSystem::Apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.inode;
}

Result<std::unique_ptr<File>> MemoryFileSystem::Open(const std::string& path, OpenMode mode) {
  RETURN_IF_ERROR(Check(Operation::kOpen, path));
  MutexLock lock(mutex_);
  auto found = names_.find(path);
  if (mode == OpenMode::kCreate) {
    if (found != names_.end()) return AlreadyExists("open " + path);
    if (!directories_.contains(DirectoryOf(path))) return NotFound("open " + path);
    NameChange change{.removed = "", .added = path, .inode = std::make_shared<Inode>()};
    Apply(change, names_);
    pending_.push_back(change);
    return std::make_unique<MemoryFile>(*this, change.inode, path);
  }
  if (found == names_.end()) return NotFound("open " + path);
  return std::make_unique<MemoryFile>(*this, found->second, path);
}

Status MemoryFileSystem::Rename(const std::string& source, const std::string& target) {
  RETURN_IF_ERROR(Check(Operation::kRename, source));
  MutexLock lock(mutex_);
  auto found = names_.find(source);
  if (found == names_.end()) return NotFound("rename " + source);
  NameChange change{.removed = source, .added = target, .inode = found->second};
  Apply(change, names_);
  pending_.push_back(change);
  return {};
}

Status MemoryFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(Check(Operation::kRemove, path));
  MutexLock lock(mutex_);
  if (!names_.contains(path)) return NotFound("remove " + path);
  NameChange change{.removed = path, .added = "", .inode = nullptr};
  Apply(change, names_);
  pending_.push_back(change);
  return {};
}

Status MemoryFileSystem::MakeDirectories(const std::string& path) {
  RETURN_IF_ERROR(Check(Operation::kMakeDirectories, path));
  MutexLock lock(mutex_);
  for (std::string directory = path; directory != "/" && directory != ".";
       directory = DirectoryOf(directory)) {
    directories_.insert(directory);
  }
  return {};
}

Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  RETURN_IF_ERROR(Check(Operation::kSyncDirectory, path));
  MutexLock lock(mutex_);
  std::vector<NameChange> others;
  for (NameChange& change : pending_) {
    if (DirectoryOf(change.removed) == path || DirectoryOf(change.added) == path) {
      Apply(change, durable_names_);
    } else {
      others.push_back(std::move(change));
    }
  }
  pending_ = std::move(others);
  return {};
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::List(const std::string& path) {
  RETURN_IF_ERROR(Check(Operation::kList, path));
  MutexLock lock(mutex_);
  if (!directories_.contains(path)) return NotFound("list " + path);
  std::vector<DirectoryEntry> entries;
  for (const std::string& directory : directories_) {
    if (directory != path && DirectoryOf(directory) == path) {
      entries.push_back({.name = directory.substr(directory.rfind('/') + 1), .is_directory = true});
    }
  }
  for (const auto& [file, inode] : names_) {
    if (DirectoryOf(file) == path) {
      entries.push_back({.name = file.substr(file.rfind('/') + 1), .is_directory = false});
    }
  }
  return entries;
}

Result<DiskSpace> MemoryFileSystem::Space(const std::string& path) {
  RETURN_IF_ERROR(Check(Operation::kSpace, path));
  MutexLock lock(mutex_);
  const uint64_t used = UsedBytes();
  return DiskSpace{.capacity_bytes = capacity_bytes_,
                   .available_bytes = capacity_bytes_ > used ? capacity_bytes_ - used : 0};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::Lock(const std::string& path) {
  MutexLock lock(mutex_);
  if (!locks_.insert(path).second) return FailedPrecondition(path + " is held by another process");
  return std::make_unique<MemoryLock>(*this, path);
}

void MemoryFileSystem::SetFault(Fault fault) {
  MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void MemoryFileSystem::SetCapacity(uint64_t capacity_bytes) {
  MutexLock lock(mutex_);
  capacity_bytes_ = capacity_bytes;
}

void MemoryFileSystem::Crash(uint32_t seed) {
  MutexLock lock(mutex_);
  std::mt19937 random(seed);
  fault_ = nullptr;
  for (const NameChange& change : pending_) {
    if (random() % 2 == 0) Apply(change, durable_names_);
  }
  pending_.clear();
  names_ = durable_names_;
  for (auto& [path, inode] : names_) {
    // A file that grew may have its new length already, or any length between.
    std::string& content = inode->content;
    const std::string& durable = inode->durable;
    if (content.size() > durable.size() && random() % 2 == 0) {
      content.resize(durable.size() + random() % (content.size() - durable.size() + 1));
    }
    for (size_t at = 0; at < content.size(); at += kSectorBytes) {
      const size_t end = std::min(content.size(), at + kSectorBytes);
      const auto fate = random() % 3;
      for (size_t i = at; i < end && fate != 0; ++i) {
        content[i] = i < durable.size() ? durable[i] : (fate == 1 ? '\0' : content[i]);
      }
    }
    if (content.size() < durable.size() && random() % 2 == 0) {
      content.append(durable.substr(content.size()));
    }
    inode->durable = content;
  }
}

std::vector<std::string> MemoryFileSystem::Paths() const {
  MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_)
    paths.push_back(path);
  return paths;
}

std::string MemoryFileSystem::Content(const std::string& path) const {
  MutexLock lock(mutex_);
  auto found = names_.find(path);
  return found == names_.end() ? std::string() : found->second->content;
}

void MemoryFileSystem::SetContent(const std::string& path, std::string content) {
  MutexLock lock(mutex_);
  auto found = names_.find(path);
  SLIPSTREAM_CHECK(found != names_.end(), "path={}", path);
  found->second->content = content;
  found->second->durable = std::move(content);
}

}  // namespace slipstream
