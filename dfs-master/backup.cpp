#include "dfs-master/backup.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "dfs-master/restore_gate.h"

namespace slipstream::dfs::master {
namespace {

namespace files = std::filesystem;

constexpr const char* kStoreName = "meta";
// While a restore is under way.
constexpr const char* kUnfinishedName = "meta.restoring";
constexpr const char* kInfoName = "BACKUP";
constexpr const char* kInfoFormat = "slipstream-dfs-master-backup 1";
constexpr size_t kInfoBytesMax = 4'096;
constexpr size_t kCopyBytes = size_t{1} << 20;

Status CheckEmpty(const files::path& directory) {
  std::error_code error;
  const bool is_there = files::exists(directory, error);
  const bool is_empty = !is_there || files::is_empty(directory, error);
  if (error) return ErrnoStatus(error.value(), "look at " + directory.string());
  if (!is_empty) return FailedPrecondition(directory.string() + " is not empty");
  return {};
}

std::string Encode(const BackupInfo& info) {
  return std::string(kInfoFormat) + "\nlog_position=" + std::to_string(info.log_position) +
         "\nbytes=" + std::to_string(info.bytes) +
         "\nmade_at_ms=" + std::to_string(info.made_at_ms) + "\n";
}

Result<BackupInfo> ReadInfo(FileSystem& fs, const files::path& directory) {
  Result<std::string> text = ReadSmallFile(fs, directory / kInfoName, kInfoBytesMax);
  if (text.status().code() == Code::kNotFound) {
    return NotFound(directory.string() + " is no backup, or one that was not finished: it has no " +
                    kInfoName);
  }
  RETURN_IF_ERROR(text.status());
  unsigned long long position = 0;
  unsigned long long bytes = 0;
  long long made_at_ms = 0;
  const std::string format =
      std::string(kInfoFormat) + "\nlog_position=%llu\nbytes=%llu\nmade_at_ms=%lld\n";
  if (std::sscanf(text->c_str(), format.c_str(), &position, &bytes, &made_at_ms) != 3) {
    return DataLoss((directory / kInfoName).string() + " says nothing that this program knows");
  }
  return BackupInfo{.log_position = position, .bytes = bytes, .made_at_ms = made_at_ms};
}

Result<std::vector<std::string>> FilesIn(FileSystem& fs, const files::path& directory) {
  ASSIGN_OR_RETURN(std::vector<DirectoryEntry> entries, fs.List(directory));
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : entries) {
    if (!entry.is_directory) names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<uint64_t> BytesIn(FileSystem& fs, const files::path& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, FilesIn(fs, directory));
  uint64_t bytes = 0;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file, fs.Open(directory / name, OpenMode::kRead));
    ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    bytes += size;
  }
  return bytes;
}

Status CopyFile(FileSystem& fs, const files::path& source, const files::path& target) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> in, fs.Open(source, OpenMode::kRead));
  ASSIGN_OR_RETURN(const std::unique_ptr<File> out, fs.Open(target, OpenMode::kCreate));
  std::string buffer(kCopyBytes, '\0');
  for (uint64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const size_t read, in->Read(offset, buffer.data(), buffer.size()));
    if (read == 0) return out->Sync();
    RETURN_IF_ERROR(out->Write(offset, std::string_view(buffer).substr(0, read)));
    offset += read;
  }
}

// RocksDB's lock and its own log of events are not part of a copy.
bool IsCopied(const std::string& name) {
  return name != "LOCK" && !name.starts_with("LOG");
}

}  // namespace

Result<BackupInfo> MakeBackup(RocksDbStore& store,
                              const files::path& directory,
                              FileSystem& fs,
                              int64_t now_ms) {
  if (!directory.is_absolute()) {
    return InvalidArgument("a backup wants an absolute directory, on the master's machine: " +
                           directory.string());
  }
  RETURN_IF_ERROR(CheckEmpty(directory));
  RETURN_IF_ERROR(fs.MakeDirectories(directory));
  BackupInfo info{.made_at_ms = now_ms};
  ASSIGN_OR_RETURN(info.log_position, store.Checkpoint(directory / kStoreName));
  ASSIGN_OR_RETURN(info.bytes, BytesIn(fs, directory / kStoreName));
  // Only now is it a backup.
  RETURN_IF_ERROR(WriteSmallFile(fs, directory / kInfoName, Encode(info)));
  return info;
}

Result<BackupInfo> RestoreBackup(const files::path& from,
                                 const files::path& data_dir,
                                 FileSystem& fs,
                                 int64_t now_ms) {
  ASSIGN_OR_RETURN(const BackupInfo info, ReadInfo(fs, from));
  RETURN_IF_ERROR(CheckEmpty(data_dir));
  const files::path unfinished = data_dir / kUnfinishedName;
  RETURN_IF_ERROR(fs.MakeDirectories(unfinished));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, FilesIn(fs, from / kStoreName));
  for (const std::string& name : names) {
    if (!IsCopied(name)) continue;
    RETURN_IF_ERROR(CopyFile(fs, from / kStoreName / name, unfinished / name));
  }
  RETURN_IF_ERROR(fs.SyncDirectory(unfinished));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<RocksDbStore> store,
                     RocksDbStore::Open({.directory = unfinished, .on_fatal = {}}));
    RETURN_IF_ERROR(store->Verify());
    if (store->position() < info.log_position) {
      return DataLoss("the backup ends at position " + std::to_string(store->position()) +
                      " of the log and not at " + std::to_string(info.log_position));
    }
    RETURN_IF_ERROR(RestoreGate::MarkRestored(*store, info.log_position, now_ms));
  }
  RETURN_IF_ERROR(fs.Rename(unfinished, data_dir / kStoreName));
  RETURN_IF_ERROR(fs.SyncDirectory(data_dir));
  return info;
}

Status CheckRestoreIsWhole(const files::path& data_dir) {
  std::error_code error;
  if (!files::exists(data_dir / kUnfinishedName, error)) return {};
  return FailedPrecondition("a restore into " + data_dir.string() +
                            " was not finished: remove the directory and restore again");
}

}  // namespace slipstream::dfs::master
