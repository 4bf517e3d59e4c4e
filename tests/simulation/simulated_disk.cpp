#include "tests/simulation/simulated_disk.h"

#include <algorithm>
#include <utility>

namespace slipstream::simulation {
namespace {

using Operation = MemoryFileSystem::Operation;

constexpr uint64_t kCapacityBytes = UINT64_C(1) << 40;

class ForgetfulFile final : public File {
 public:
  explicit ForgetfulFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<size_t> Read(uint64_t offset, char* out, size_t length) const override {
    return file_->Read(offset, out, length);
  }
  Status Write(uint64_t offset, std::string_view data) override {
    return file_->Write(offset, data);
  }
  Status Allocate(uint64_t bytes) override { return file_->Allocate(bytes); }
  Status Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
  Status Sync() override { return {}; }
  Result<uint64_t> Size() const override { return file_->Size(); }

 private:
  const std::unique_ptr<File> file_;
};

// A file system that says that something is durable, and is wrong.
class ForgetfulFileSystem final : public FileSystem {
 public:
  ForgetfulFileSystem(FileSystem& fs, Mutation mutation) : fs_(fs), mutation_(mutation) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(path, mode));
    if (mutation_ != Mutation::kSkipFileSync) return file;
    return std::make_unique<ForgetfulFile>(std::move(file));
  }
  Status Rename(const std::string& source, const std::string& target) override {
    return fs_.Rename(source, target);
  }
  Status Remove(const std::string& path) override { return fs_.Remove(path); }
  Status MakeDirectories(const std::string& path) override { return fs_.MakeDirectories(path); }
  Status SyncDirectory(const std::string& path) override {
    return mutation_ == Mutation::kSkipDirectorySync ? Status() : fs_.SyncDirectory(path);
  }
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override {
    return fs_.List(path);
  }
  Result<DiskSpace> Space(const std::string& path) override { return fs_.Space(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return fs_.Lock(path);
  }

 private:
  FileSystem& fs_;
  const Mutation mutation_;
};

}  // namespace

SimulatedDisk::SimulatedDisk(Random random, Mutation mutation)
    : random_(random), mutation_(mutation) {
  Replace();
}

SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::Replace() {
  face_.reset();
  fs_ = std::make_unique<MemoryFileSystem>(kCapacityBytes);
  face_ = std::make_unique<ForgetfulFileSystem>(*fs_, mutation_);
  Mount();
}

void SimulatedDisk::Mount() {
  fs_->SetFault([this](Operation operation, const std::string&) { return Check(operation); });
}

Status SimulatedDisk::Check(Operation operation) {
  if (operations_left_ != 0 && --operations_left_ == 0) std::exchange(act_, nullptr)();
  if (owner_ == nullptr || !owner_->is_alive()) return Unavailable("the machine is down");
  const bool is_read = operation == Operation::kOpen || operation == Operation::kRead ||
                       operation == Operation::kList || operation == Operation::kSpace;
  const uint64_t errors = is_read ? read_errors_per_mille_ : write_errors_per_mille_;
  if (errors != 0 && random_.PerMille(errors)) return Unavailable("input/output error");
  return {};
}

void SimulatedDisk::CountDown(uint64_t operations, std::function<void()> act) {
  operations_left_ = operations;
  act_ = std::move(act);
}

void SimulatedDisk::SetErrors(uint64_t reads_per_mille, uint64_t writes_per_mille) {
  read_errors_per_mille_ = reads_per_mille;
  write_errors_per_mille_ = writes_per_mille;
  if (reads_per_mille + writes_per_mille > 0) has_failed_ = true;
}

void SimulatedDisk::SetFree(uint64_t bytes) {
  uint64_t used = 0;
  for (const std::string& path : fs_->Paths())
    used += fs_->Content(path).size();
  fs_->SetCapacity(bytes > kCapacityBytes ? kCapacityBytes : used + bytes);
}

void SimulatedDisk::Crash() {
  operations_left_ = 0;
  fs_->Crash(static_cast<uint32_t>(random_.Next()));
  Mount();
}

std::vector<std::string> SimulatedDisk::FilesWith(const std::string& suffix) const {
  std::vector<std::string> files;
  for (std::string& path : fs_->Paths()) {
    if (path.ends_with(suffix)) files.push_back(std::move(path));
  }
  return files;
}

std::string SimulatedDisk::FlipBit(const std::string& suffix) {
  const std::vector<std::string> files = FilesWith(suffix);
  if (files.empty()) return {};
  const std::string& path = random_.Pick(files);
  std::string content = fs_->Content(path);
  if (content.empty()) return {};
  char& byte = content[random_.Below(content.size())];
  byte = static_cast<char>(byte ^ static_cast<char>(1 << random_.Below(8)));
  fs_->SetContent(path, std::move(content));
  return path;
}

std::string SimulatedDisk::MisdirectWrite(const std::string& suffix) {
  constexpr uint64_t kPieceMax = 4'096;
  const std::vector<std::string> files = FilesWith(suffix);
  if (files.size() < 2) return {};
  const std::string& meant = random_.Pick(files);
  const std::string& hit = random_.Pick(files);
  std::string lacking = fs_->Content(meant);
  std::string damaged = fs_->Content(hit);
  const uint64_t size = std::min(lacking.size(), damaged.size());
  if (meant == hit || size == 0) return {};
  const uint64_t begin = random_.Below(size);
  const uint64_t length = std::min(size - begin, 1 + random_.Below(kPieceMax));
  damaged.replace(begin, length, lacking, begin, length);
  // Nothing was written there, or what was is gone.
  lacking.replace(begin, length, length, '\0');
  fs_->SetContent(meant, std::move(lacking));
  fs_->SetContent(hit, std::move(damaged));
  return meant + " and " + hit;
}

}  // namespace slipstream::simulation
