#include "dfs-datanode/data_dir.h"

#include <charconv>
#include <random>
#include <utility>

#include <fmt/format.h>

namespace slipstream::datanode {
namespace {

constexpr size_t kSmallFileBytesMax = 64;
constexpr size_t kNodeIdDigits = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string MintNodeId() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

DataDir::DataDir(std::string path, FileSystem& fs) : path_(std::move(path)), fs_(fs) {}

Result<std::unique_ptr<DataDir>> DataDir::Open(const std::string& path, FileSystem& fs) {
  std::unique_ptr<DataDir> dir(new DataDir(path, fs));
  RETURN_IF_ERROR(fs.MakeDirectories(path));
  ASSIGN_OR_RETURN(dir->lock_, fs.Lock(path + "/LOCK"));
  const std::string id_path = path + "/node_id";
  Result<std::string> found = ReadSmallFile(fs, id_path, kSmallFileBytesMax);
  if (found.status().code() == Code::kNotFound) {
    found = MintNodeId() + "\n";
    RETURN_IF_ERROR(WriteSmallFile(fs, id_path, *found));
  }
  if (!found.ok()) return found.status();
  if (found->size() != kNodeIdDigits + 1 || found->back() != '\n' ||
      found->find_first_not_of(kHexDigits) != kNodeIdDigits) {
    return DataLoss(id_path + ": not a node id");
  }
  dir->node_id_ = found->substr(0, kNodeIdDigits);
  return dir;
}

uint64_t DataDir::LoadNumber(const std::string& name) const {
  Result<std::string> text = ReadSmallFile(fs_, path_ + "/" + name, kSmallFileBytesMax);
  uint64_t number = 0;
  if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

Status DataDir::SaveNumber(const std::string& name, uint64_t number) {
  return WriteSmallFile(fs_, path_ + "/" + name, fmt::format("{}\n", number));
}

}  // namespace slipstream::datanode
