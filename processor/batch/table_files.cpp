#include "processor/batch/table_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "processor/batch/compressed_reader.h"
#include "processor/connectors/sink_location.h"

namespace slipstream::processor {
namespace {

namespace fs = std::filesystem;
using sql::SourceFile;

// Where a table's path leads: on a master ("dfs://…" with its authority) or on this machine.
struct Place {
  bool is_dfs = false;
  std::string authority;
  std::string prefix;  // what stands before the absolute path: "dfs://host:port", or nothing
  std::string path;    // absolute, without '/' at its end but for the root
};

Result<Place> PlaceOf(const std::string& path) {
  ASSIGN_OR_RETURN(runtime::SinkLocation location, runtime::ParseSinkLocation(path));
  Place place{.is_dfs = location.is_dfs,
              .authority = location.authority,
              .prefix = location.is_dfs ? "dfs://" + location.authority : "",
              .path = location.folder};
  while (place.path.size() > 1 && place.path.back() == '/')
    place.path.pop_back();
  return place;
}

bool IsHidden(const std::string& name) {
  return name.starts_with('_') || name.starts_with('.');
}

std::string Child(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

Status CheckCount(const std::vector<SourceFile>& files) {
  if (files.size() < TableFiles::kFilesMax) return {};
  return ResourceExhausted("more than " + std::to_string(TableFiles::kFilesMax) + " files");
}

// ---- The distributed file system ----

SourceFile DfsFile(std::string path, std::string relative_path, const dfs::FileStatus& status) {
  return {.path = std::move(path),
          .relative_path = std::move(relative_path),
          .length = status.length_bytes,
          .modified_us = status.modified_at_ms * 1'000,
          .is_open = !status.writer.empty()};
}

Status ListDfs(dfs::DfsClient& client,
               const Place& place,
               const std::string& folder,
               const std::string& relative,
               std::vector<SourceFile>& files) {
  dfs::DirectoryIterator entries(client, folder);
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<dfs::FileStatus> entry, entries.Next());
    if (!entry) return {};
    if (IsHidden(entry->name)) continue;
    std::string path = Child(folder, entry->name);
    std::string relative_path = relative + entry->name;
    if (entry->kind == dfs::FileKind::kDirectory) {
      RETURN_IF_ERROR(ListDfs(client, place, path, relative_path + "/", files));
    } else {
      RETURN_IF_ERROR(CheckCount(files));
      files.push_back(DfsFile(place.prefix + path, relative_path, *entry));
    }
  }
}

class DfsFileReader final : public sql::FileReader {
 public:
  explicit DfsFileReader(std::unique_ptr<dfs::FileReader> file) : file_(std::move(file)) {}

  Result<size_t> Read(std::span<char> buffer) override {
    if (used_ == chunk_.size()) {
      ASSIGN_OR_RETURN(chunk_, file_->Next());
      used_ = 0;
    }
    size_t bytes = std::min(buffer.size(), chunk_.size() - used_);
    std::memcpy(buffer.data(), chunk_.data() + used_, bytes);
    used_ += bytes;
    return bytes;
  }

 private:
  std::unique_ptr<dfs::FileReader> file_;
  std::string chunk_;
  size_t used_ = 0;
};

// ---- This machine's disks ----

Result<SourceFile> LocalFile(const std::string& path, std::string relative_path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return ErrnoStatus(errno, "stat " + path);
  return SourceFile{
      .path = path,
      .relative_path = std::move(relative_path),
      .length = static_cast<uint64_t>(status.st_size),
      .modified_us = status.st_mtim.tv_sec * int64_t{1'000'000} + status.st_mtim.tv_nsec / 1'000};
}

Status ListLocal(const std::string& folder,
                 const std::string& relative,
                 std::vector<SourceFile>& files) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (IsHidden(name)) continue;
    // A link to a folder is not followed: it could lead back here.
    if (entry->is_directory(error) && !entry->is_symlink(error)) {
      RETURN_IF_ERROR(ListLocal(entry->path().string(), relative + name + "/", files));
    } else if (entry->is_regular_file(error)) {
      RETURN_IF_ERROR(CheckCount(files));
      Result<SourceFile> file = LocalFile(entry->path().string(), relative + name);
      if (file.status().code() == Code::kNotFound) continue;  // it has gone meanwhile
      if (!file.ok()) return file.status();
      files.push_back(*std::move(file));
    }
  }
  return error ? ErrnoStatus(error.value(), "list " + folder) : Status();
}

class LocalFileReader final : public sql::FileReader {
 public:
  LocalFileReader(int descriptor, std::string path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  ~LocalFileReader() override { ::close(descriptor_); }
  LocalFileReader(const LocalFileReader&) = delete;
  LocalFileReader& operator=(const LocalFileReader&) = delete;

  Result<size_t> Read(std::span<char> buffer) override {
    for (;;) {
      ssize_t bytes = ::read(descriptor_, buffer.data(), buffer.size());
      if (bytes >= 0) return static_cast<size_t>(bytes);
      if (errno != EINTR) return ErrnoStatus(errno, "read " + path_);
    }
  }

 private:
  const int descriptor_;
  const std::string path_;
};

Result<std::unique_ptr<sql::FileReader>> OpenLocal(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return ErrnoStatus(errno, "open " + path);
  return std::make_unique<LocalFileReader>(descriptor, path);
}

}  // namespace

Result<std::vector<SourceFile>> TableFiles::List(const std::string& path) {
  ASSIGN_OR_RETURN(Place place, PlaceOf(path));
  std::vector<SourceFile> files;
  std::string name = fs::path(place.path).filename().string();
  if (place.is_dfs) {
    dfs::DfsClient& client = file_systems_.At(place.authority);
    ASSIGN_OR_RETURN(dfs::FileStatus status, client.Stat(place.path));
    if (status.kind == dfs::FileKind::kFile) {
      files.push_back(DfsFile(place.prefix + place.path, name, status));
    } else {
      RETURN_IF_ERROR(ListDfs(client, place, place.path, "", files));
    }
  } else {
    std::error_code error;
    fs::file_status status = fs::status(place.path, error);
    if (status.type() == fs::file_type::not_found) return NotFound(place.path + " does not exist");
    if (error) return ErrnoStatus(error.value(), place.path);
    if (fs::is_directory(status)) {
      RETURN_IF_ERROR(ListLocal(place.path, "", files));
    } else {
      ASSIGN_OR_RETURN(SourceFile file, LocalFile(place.path, name));
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) {
    return a.relative_path < b.relative_path;
  });
  return files;
}

Result<std::unique_ptr<sql::FileReader>> TableFiles::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Place place, PlaceOf(path));
  if (!place.is_dfs) {
    ASSIGN_OR_RETURN(std::unique_ptr<sql::FileReader> local, OpenLocal(place.path));
    return Unpack(path, std::move(local));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<dfs::FileReader> file,
                   file_systems_.At(place.authority).OpenFile(place.path));
  return Unpack(path, std::make_unique<DfsFileReader>(std::move(file)));
}

}  // namespace slipstream::processor
