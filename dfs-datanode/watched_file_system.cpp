#include "dfs-datanode/watched_file_system.h"

#include <type_traits>
#include <utility>

namespace slipstream::datanode {
namespace {

bool SpeaksAgainstTheDisk(Code code) {
  return code == Code::kUnavailable || code == Code::kPermissionDenied || code == Code::kUnknown;
}

}  // namespace

template <class Outcome>
Outcome WatchedFileSystem::Watch(const std::string& path, Outcome outcome) const {
  if (outcome.ok()) return outcome;
  if constexpr (std::is_same_v<Outcome, Status>) {
    if (SpeaksAgainstTheDisk(outcome.code())) observer_(path, outcome);
  } else {
    if (SpeaksAgainstTheDisk(outcome.error().code())) observer_(path, outcome.error());
  }
  return outcome;
}

class WatchedFileSystem::WatchedFile final : public File {
 public:
  WatchedFile(const WatchedFileSystem& fs, std::string path, std::unique_ptr<File> file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}

  Result<size_t> Read(uint64_t offset, char* out, size_t length) const override {
    return fs_.Watch(path_, file_->Read(offset, out, length));
  }
  Status Write(uint64_t offset, std::string_view data) override {
    return fs_.Watch(path_, file_->Write(offset, data));
  }
  Status Allocate(uint64_t bytes) override { return fs_.Watch(path_, file_->Allocate(bytes)); }
  Status Truncate(uint64_t bytes) override { return fs_.Watch(path_, file_->Truncate(bytes)); }
  Status Sync() override { return fs_.Watch(path_, file_->Sync()); }
  Result<uint64_t> Size() const override { return fs_.Watch(path_, file_->Size()); }

 private:
  const WatchedFileSystem& fs_;
  const std::string path_;
  const std::unique_ptr<File> file_;
};

Result<std::unique_ptr<File>> WatchedFileSystem::Open(const std::string& path, OpenMode mode) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, Watch(path, fs_.Open(path, mode)));
  return std::make_unique<WatchedFile>(*this, path, std::move(file));
}

Status WatchedFileSystem::Rename(const std::string& source, const std::string& target) {
  return Watch(source, fs_.Rename(source, target));
}

Status WatchedFileSystem::Remove(const std::string& path) {
  return Watch(path, fs_.Remove(path));
}

Status WatchedFileSystem::MakeDirectories(const std::string& path) {
  return Watch(path, fs_.MakeDirectories(path));
}

Status WatchedFileSystem::SyncDirectory(const std::string& path) {
  return Watch(path, fs_.SyncDirectory(path));
}

Result<std::vector<DirectoryEntry>> WatchedFileSystem::List(const std::string& path) {
  return Watch(path, fs_.List(path));
}

Result<DiskSpace> WatchedFileSystem::Space(const std::string& path) {
  return Watch(path, fs_.Space(path));
}

Result<std::unique_ptr<FileLock>> WatchedFileSystem::Lock(const std::string& path) {
  return fs_.Lock(path);
}

}  // namespace slipstream::datanode
