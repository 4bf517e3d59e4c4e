#include "processor/app/savepoint_file.h"

#include <cstdint>
#include <filesystem>
#include <utility>

#include "common/fs/posix_file_system.h"
#include "processor/connectors/sink_location.h"

namespace slipstream::processor {
namespace {

class DfsSavepointFile final : public SavepointFile {
 public:
  explicit DfsSavepointFile(std::unique_ptr<dfs::FileWriter> file) : file_(std::move(file)) {}

  Status Write(std::string_view bytes) override { return file_->Write(bytes); }
  Status Close() override { return file_->Close(); }

 private:
  const std::unique_ptr<dfs::FileWriter> file_;
};

// Under another name until it is whole.
class LocalSavepointFile final : public SavepointFile {
 public:
  static Result<std::unique_ptr<SavepointFile>> Create(const std::string& path) {
    if (std::filesystem::exists(path)) return AlreadyExists(path);
    FileSystem& fs = PosixFileSystem::Get();
    RETURN_IF_ERROR(fs.MakeDirectories(DirectoryOf(path)));
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs.Open(path + ".unfinished", OpenMode::kCreate));
    return std::unique_ptr<SavepointFile>(new LocalSavepointFile(std::move(file), path));
  }
  ~LocalSavepointFile() override {
    if (file_ != nullptr) (void)PosixFileSystem::Get().Remove(unfinished());
  }
  LocalSavepointFile(const LocalSavepointFile&) = delete;
  LocalSavepointFile& operator=(const LocalSavepointFile&) = delete;

  Status Write(std::string_view bytes) override {
    RETURN_IF_ERROR(file_->Write(length_bytes_, bytes));
    length_bytes_ += bytes.size();
    return {};
  }
  Status Close() override {
    FileSystem& fs = PosixFileSystem::Get();
    RETURN_IF_ERROR(file_->Sync());
    RETURN_IF_ERROR(fs.Rename(unfinished(), path_));
    file_.reset();
    return fs.SyncDirectory(DirectoryOf(path_));
  }

 private:
  LocalSavepointFile(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  std::string unfinished() const { return path_ + ".unfinished"; }

  std::unique_ptr<File> file_;  // null: closed
  const std::string path_;
  uint64_t length_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<SavepointFile>> SavepointFile::Create(const std::string& path,
                                                             FileSystems& file_systems) {
  ASSIGN_OR_RETURN(runtime::SinkLocation location, runtime::ParseSinkLocation(path));
  std::string& name = location.folder;
  name.pop_back();  // the '/' at its end
  if (name.empty()) return InvalidArgument("a savepoint is a file, not \"" + path + "\"");
  if (!location.is_dfs) return LocalSavepointFile::Create(name);
  return std::unique_ptr<SavepointFile>(
      new DfsSavepointFile(file_systems.At(location.authority).CreateFile(name)));
}

}  // namespace slipstream::processor
