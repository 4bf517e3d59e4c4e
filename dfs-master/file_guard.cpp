#include "dfs-master/file_guard.h"

#include <string>
#include <utility>

#include <rocksdb/file_system.h>

namespace slipstream::dfs::master {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using OnFailure = std::function<void(const Status&)>;

class GuardedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GuardedFile(std::unique_ptr<FSWritableFile> file, std::string path, const OnFailure& on_failure)
      : FSWritableFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        on_failure_(on_failure) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Checked("write", FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  IOStatus Append(const Slice& data,
                  const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info,
                  IODebugContext* debug) override {
    return Checked("write", FSWritableFileOwnerWrapper::Append(data, options, info, debug));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return Checked("flush", FSWritableFileOwnerWrapper::Flush(options, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Checked("sync", FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Checked("sync", FSWritableFileOwnerWrapper::Fsync(options, debug));
  }
  IOStatus RangeSync(uint64_t offset,
                     uint64_t bytes,
                     const IOOptions& options,
                     IODebugContext* debug) override {
    return Checked("sync", FSWritableFileOwnerWrapper::RangeSync(offset, bytes, options, debug));
  }

 private:
  IOStatus Checked(const char* what, IOStatus status) {
    if (!status.ok()) {
      on_failure_(Status(status.IsNoSpace() ? Code::kResourceExhausted : Code::kUnavailable,
                         std::string(what) + " " + path_ + ": " + status.ToString()));
    }
    return status;
  }

  const std::string path_;
  const OnFailure& on_failure_;  // of the file system, which RocksDB keeps longer than its files
};

class GuardedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  GuardedFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target,
                    std::filesystem::path directory,
                    OnFailure on_failure)
      : FileSystemWrapper(target),
        directory_(std::move(directory)),
        on_failure_(std::move(on_failure)) {}

  const char* Name() const override { return "GuardedFileSystem"; }

  IOStatus NewWritableFile(const std::string& path,
                           const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file,
                           IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (status.ok() && std::filesystem::path(path).parent_path() == directory_) {
      *file = std::make_unique<GuardedFile>(std::move(*file), path, on_failure_);
    }
    return status;
  }

 private:
  const std::filesystem::path directory_;
  const OnFailure on_failure_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> GuardFiles(std::shared_ptr<rocksdb::FileSystem> target,
                                                std::filesystem::path directory,
                                                std::function<void(const Status&)> on_failure) {
  return std::make_shared<GuardedFileSystem>(
      std::move(target), std::move(directory), std::move(on_failure));
}

}  // namespace slipstream::dfs::master
