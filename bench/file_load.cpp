#include "bench/file_load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "dfs-client/dfs_client.h"

namespace slipstream::bench {
namespace {

// Not two alike, and about as compressible as JSON.
std::string Content(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string content;
  while (content.size() < size)
    content += "{\"id\":" + std::to_string(random() % 1'000'000) + ",\"state\":\"nominal\"}\n";
  content.resize(size);
  return content;
}

std::string FilePath(size_t client, uint64_t n) {
  return "/small/client" + std::to_string(client) + "/f" + std::to_string(n);
}

std::vector<std::unique_ptr<dfs::DfsClient>> Connect(const FileLoad::Options& options) {
  std::vector<std::unique_ptr<dfs::DfsClient>> clients;
  for (size_t i = 0; i < options.clients; ++i)
    clients.push_back(dfs::DfsClient::Connect({.master = options.master}));
  return clients;
}

Status SyncDirectory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return ErrnoStatus(errno, "open " + path);
  const int result = ::fsync(directory);
  ::close(directory);
  return result == 0 ? Status() : ErrnoStatus(errno, "fsync " + path);
}

Status WriteSynced(const std::string& directory, uint64_t n, const std::string& content) {
  const std::string path = directory + "/" + std::to_string(n);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoStatus(errno, "open " + path);
  const bool is_written =
      ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fdatasync(file) == 0;
  const int error = errno;
  ::close(file);
  if (!is_written) return ErrnoStatus(error, "write " + path);
  return SyncDirectory(directory);
}

}  // namespace

LoadResult FileLoad::Put() {
  const auto clients = Connect(options_);
  std::vector<std::atomic<uint64_t>> made(options_.clients);
  LoadResult result =
      RunCallers(options_.clients, options_.duration, [&](size_t client, uint64_t n) -> Status {
        auto file = clients[client]->CreateFile(FilePath(client, n));
        RETURN_IF_ERROR(file->Write(Content(options_.file_bytes, n)));
        RETURN_IF_ERROR(file->Close());
        made[client] = n + 1;
        return {};
      });
  files_each_ = *std::min_element(made.begin(), made.end());
  return result;
}

LoadResult FileLoad::PutBatch() {
  const auto clients = Connect(options_);
  return RunCallers(options_.clients, options_.duration, [&](size_t client, uint64_t n) {
    std::vector<std::string> contents;
    std::vector<dfs::NewFile> files;
    contents.reserve(kBatch);
    for (uint64_t i = n * kBatch; i < (n + 1) * kBatch; ++i) {
      contents.push_back(Content(options_.file_bytes, i));
      files.push_back(
          {.path = "/batched/client" + std::to_string(client) + "/f" + std::to_string(i),
           .content = contents.back()});
    }
    return clients[client]->PutFiles(files);
  });
}

LoadResult FileLoad::Get() {
  const auto clients = Connect(options_);
  if (files_each_ == 0) return {.seconds = 1, .first_error = "no files to get: put some first"};
  return RunCallers(options_.clients, options_.duration, [&](size_t client, uint64_t n) -> Status {
    ASSIGN_OR_RETURN(auto file, clients[client]->OpenFile(FilePath(client, n % files_each_)));
    size_t length = 0;
    for (;;) {
      ASSIGN_OR_RETURN(const std::string chunk, file->Next());
      if (chunk.empty()) break;
      length += chunk.size();
    }
    return length == options_.file_bytes ? Status() : DataLoss("a file of another length");
  });
}

LoadResult SyncPairs(const std::string& directory,
                     size_t writers,
                     size_t file_bytes,
                     std::chrono::milliseconds duration) {
  std::vector<std::string> folders;
  for (size_t i = 0; i < 2 * writers; ++i) {
    folders.push_back(directory + "/" + std::to_string(i));
    std::error_code error;
    std::filesystem::create_directories(folders.back(), error);
    if (error) return {.seconds = 1, .first_error = error.message()};
  }
  return RunCallers(writers, duration, [&](size_t writer, uint64_t n) -> Status {
    const std::string content = Content(file_bytes, n);
    RETURN_IF_ERROR(WriteSynced(folders[2 * writer], n, content));
    return WriteSynced(folders[2 * writer + 1], n, content);
  });
}

}  // namespace slipstream::bench
