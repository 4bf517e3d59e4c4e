#include "dfs-datanode/data_dir.h"

#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace slipstream::datanode {
namespace {

constexpr size_t kSmallFileBytesMax = 64;
constexpr char kNodeIdName[] = "node_id";
constexpr size_t kNodeIdDigits = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

DataDir::DataDir(std::string path, FileSystem& fs) : path_(std::move(path)), fs_(fs) {}

Result<std::unique_ptr<DataDir>> DataDir::Open(const std::string& path, FileSystem& fs) {
  std::unique_ptr<DataDir> dir(new DataDir(path, fs));
  RETURN_IF_ERROR(fs.MakeDirectories(path));
  ASSIGN_OR_RETURN(dir->lock_, fs.Lock(path + "/LOCK"));
  RETURN_IF_ERROR(dir->RemoveTemporaryFiles());
  Result<std::string> node_id = dir->ReadNodeId();
  if (!node_id.ok() && node_id.status().code() != Code::kNotFound) return node_id.status();
  if (node_id.ok()) dir->node_id_ = *node_id;
  return dir;
}

Status DataDir::RemoveTemporaryFiles() {
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, fs_.List(path_));
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(".tmp")) continue;
    RETURN_IF_ERROR(fs_.Remove(path_ + "/" + entry.name));
  }
  return {};
}

Result<std::string> DataDir::ReadNodeId() const {
  const std::string path = path_ + "/" + kNodeIdName;
  ASSIGN_OR_RETURN(std::string found, ReadSmallFile(fs_, path, kSmallFileBytesMax));
  if (found.size() != kNodeIdDigits + 1 || found.back() != '\n' ||
      found.find_first_not_of(kHexDigits) != kNodeIdDigits) {
    return DataLoss(path + ": not a node id");
  }
  found.pop_back();
  return found;
}

Status DataDir::Adopt(const std::string& node_id) {
  RETURN_IF_ERROR(WriteSmallFile(fs_, path_ + "/" + kNodeIdName, node_id + "\n"));
  node_id_ = node_id;
  return {};
}

Status DataDir::CheckNodeId() const {
  ASSIGN_OR_RETURN(const std::string found, ReadNodeId());
  if (found == node_id_) return {};
  return FailedPrecondition(fmt::format("{} is of node {} now", path_, found));
}

uint64_t DataDir::LoadNumber(const std::string& name) const {
  const Result<std::string> text = ReadSmallFile(fs_, path_ + "/" + name, kSmallFileBytesMax);
  uint64_t number = 0;
  if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

Status DataDir::SaveNumber(const std::string& name, uint64_t number) {
  return WriteSmallFile(fs_, path_ + "/" + name, fmt::format("{}\n", number));
}

}  // namespace slipstream::datanode
