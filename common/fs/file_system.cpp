#include "common/fs/file_system.h"

namespace slipstream {
namespace {

Status WriteNewFile(FileSystem& fs, const std::string& path, std::string_view content) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs.Open(path, OpenMode::kCreate));
  RETURN_IF_ERROR(file->Write(0, content));
  return file->Sync();
}

}  // namespace

Result<std::string> ReadSmallFile(FileSystem& fs, const std::string& path, size_t bytes_max) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs.Open(path, OpenMode::kRead));
  std::string content(bytes_max + 1, '\0');
  ASSIGN_OR_RETURN(size_t size, file->Read(0, content.data(), content.size()));
  if (size > bytes_max) {
    return DataLoss(path + ": longer than " + std::to_string(bytes_max) + " bytes");
  }
  content.resize(size);
  return content;
}

Status WriteSmallFile(FileSystem& fs, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  if (Status removed = fs.Remove(temporary); !removed.ok() && removed.code() != Code::kNotFound) {
    return removed;
  }
  Status written = WriteNewFile(fs, temporary, content);
  if (!written.ok()) {
    // A full disk must not be kept full by what did not fit. The first error is the one that
    // counts.
    (void)fs.Remove(temporary);
    return written;
  }
  RETURN_IF_ERROR(fs.Rename(temporary, path));
  return fs.SyncDirectory(DirectoryOf(path));
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace slipstream
