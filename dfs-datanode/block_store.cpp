#include "dfs-datanode/block_store.h"

#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/block/block_file.h"
#include "common/check/check.h"
#include "common/failpoint/failpoint.h"
#include "common/log/log.h"

namespace slipstream::datanode {
namespace {

using block::BlockId;
using block::BlockMeta;
using block::Identity;

constexpr std::string_view kDataSuffix = ".zst";
constexpr std::string_view kMetaSuffix = ".meta";
constexpr std::string_view kTemporarySuffix = ".tmp";

Status IgnoreNotFound(const Status& status) {
  return status.code() == Code::kNotFound ? Status() : status;
}

// The block that a file of this name and suffix belongs to.
std::optional<BlockId> IdOf(std::string_view file_name, std::string_view suffix) {
  if (!file_name.ends_with(suffix)) return std::nullopt;
  file_name.remove_suffix(suffix.size());
  Result<BlockId> block_id = block::ParseBlockFileName(file_name);
  return block_id.ok() ? std::optional<BlockId>(*block_id) : std::nullopt;
}

// Whether `file` has exactly `expected` at `offset`.
Result<bool> Matches(const File& file, uint64_t offset, std::string_view expected) {
  std::string found(expected.size(), '\0');
  ASSIGN_OR_RETURN(size_t size, file.Read(offset, found.data(), found.size()));
  return size == found.size() && found == expected;
}

}  // namespace

// ---- Writer ----

BlockStore::Writer::Writer(BlockStore& store, BlockMeta meta, std::unique_ptr<File> file)
    : store_(store),
      meta_(std::move(meta)),
      file_(std::move(file)),
      path_(store.DataPath(meta_.identity.block_id) + std::string(kTemporarySuffix)) {}

BlockStore::Writer::~Writer() {
  file_.reset();
  // What cannot be removed now is removed by the next scan.
  if (!path_.empty()) (void)store_.fs_.Remove(path_);
}

Status BlockStore::Writer::Append(std::string_view stored) {
  RETURN_IF_ERROR(file_->Write(offset_, stored));
  offset_ += stored.size();
  return {};
}

Status BlockStore::Writer::Seal() {
  RETURN_IF_ERROR(Append(block::EncodeSeekTable(meta_)));
  SLIPSTREAM_CHECK(offset_ == block::BlockFileBytes(meta_), "offset={}", offset_);
  SLIPSTREAM_FAILPOINT("datanode.write.before_sync");
  RETURN_IF_ERROR(file_->Sync());
  file_.reset();
  return {};
}

// ---- BlockStore ----

BlockStore::BlockStore(const std::string& root, FileSystem& fs, const QuarantineDir& quarantine)
    : root_(root + "/blocks"), fs_(fs), quarantine_(quarantine) {}

Result<std::unique_ptr<BlockStore>> BlockStore::Open(const std::string& root,
                                                     FileSystem& fs,
                                                     const QuarantineDir& quarantine) {
  std::unique_ptr<BlockStore> store(new BlockStore(root, fs, quarantine));
  RETURN_IF_ERROR(fs.MakeDirectories(store->root_));
  return store;
}

std::string BlockStore::DirectoryOfBlock(BlockId block_id) const {
  return root_ + "/" + block::BlockDirectoryName(block_id);
}

std::string BlockStore::DataPath(BlockId block_id) const {
  return fmt::format(
      "{}/{}{}", DirectoryOfBlock(block_id), block::BlockFileName(block_id), kDataSuffix);
}

std::string BlockStore::MetaPath(BlockId block_id) const {
  return fmt::format(
      "{}/{}{}", DirectoryOfBlock(block_id), block::BlockFileName(block_id), kMetaSuffix);
}

Result<BlockMeta> BlockStore::ReadMetaFile(BlockId block_id) const {
  ASSIGN_OR_RETURN(std::string record,
                   ReadSmallFile(fs_, MetaPath(block_id), block::kMetaRecordBytesMax));
  ASSIGN_OR_RETURN(BlockMeta meta, block::ParseMetaRecord(record));
  if (meta.identity.block_id != block_id) return DataLoss("meta file of another block");
  return meta;
}

Status BlockStore::WriteMetaFile(const BlockMeta& meta) {
  const std::string path = MetaPath(meta.identity.block_id);
  RETURN_IF_ERROR(IgnoreNotFound(fs_.Remove(path)));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(path, OpenMode::kCreate));
  return file->Write(0, block::EncodeMetaRecord(meta));
}

Result<BlockMeta> BlockStore::ReadMeta(BlockId block_id, const File& data) const {
  auto from_header = [&]() -> Result<BlockMeta> {
    std::string header(block::kHeaderFrameBytesMax, '\0');
    ASSIGN_OR_RETURN(size_t size, data.Read(0, header.data(), header.size()));
    header.resize(size);
    ASSIGN_OR_RETURN(size_t length,
                     block::HeaderFrameBytesFromHead(header.substr(0, block::kSkippableHeadBytes)));
    ASSIGN_OR_RETURN(BlockMeta meta, block::ParseHeaderFrame(header.substr(0, length)));
    if (meta.identity.block_id != block_id) return DataLoss("header of another block");
    return meta;
  };
  Result<BlockMeta> meta = from_header();
  if (meta.ok() || meta.status().code() != Code::kDataLoss) return meta;
  Result<BlockMeta> second = ReadMetaFile(block_id);
  return second.status().code() == Code::kNotFound ? meta : second;
}

// Nothing if the file was moved to quarantine.
Result<std::optional<Identity>> BlockStore::ScanFile(BlockId block_id) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(DataPath(block_id), OpenMode::kRead));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  Result<BlockMeta> meta = ReadMeta(block_id, *file);
  if (!meta.ok() && meta.status().code() == Code::kUnavailable) return meta.status();
  if (!meta.ok() || size != block::BlockFileBytes(*meta)) {
    log::Get("datanode.blocks")
        ->warn("block_quarantined id={} reason={}",
               block_id,
               log::Quoted(meta.ok() ? "wrong file size" : meta.status().message()));
    RETURN_IF_ERROR(Quarantine(block_id));
    return std::optional<Identity>();
  }
  if (Result<BlockMeta> second = ReadMetaFile(block_id); !second.ok() || *second != *meta) {
    // A full disk has no room for it: the block is read without, and it is made at another start.
    const Status made = WriteMetaFile(*meta);
    if (!made.ok() && made.code() != Code::kResourceExhausted) return made;
  }
  return std::optional<Identity>(meta->identity);
}

Status BlockStore::ScanDirectory(const std::string& name, std::vector<Identity>& found) {
  const std::string directory = root_ + "/" + name;
  ASSIGN_OR_RETURN(std::vector<DirectoryEntry> entries, fs_.List(directory));
  std::set<BlockId> metas;
  std::set<BlockId> blocks;
  for (const DirectoryEntry& entry : entries) {
    if (entry.name.ends_with(kTemporarySuffix)) {
      RETURN_IF_ERROR(fs_.Remove(directory + "/" + entry.name));
    } else if (std::optional<BlockId> block_id = IdOf(entry.name, kMetaSuffix)) {
      metas.insert(*block_id);
    } else if (block_id = IdOf(entry.name, kDataSuffix);
               block_id.has_value() && block::BlockDirectoryName(*block_id) == name) {
      blocks.insert(*block_id);
    }
  }
  for (BlockId block_id : blocks) {
    ASSIGN_OR_RETURN(std::optional<Identity> identity, ScanFile(block_id));
    if (identity.has_value()) found.push_back(*identity);
    metas.erase(block_id);
  }
  // Left by a crash between the two names, or by a removal.
  for (BlockId block_id : metas)
    RETURN_IF_ERROR(fs_.Remove(MetaPath(block_id)));
  // What was found will be reported as ours, so its name must be durable even if its writer died
  // before it could see to that.
  return fs_.SyncDirectory(directory);
}

Result<std::vector<Identity>> BlockStore::Scan() {
  std::vector<Identity> found;
  ASSIGN_OR_RETURN(std::vector<DirectoryEntry> directories, fs_.List(root_));
  for (const DirectoryEntry& directory : directories) {
    if (directory.is_directory) RETURN_IF_ERROR(ScanDirectory(directory.name, found));
  }
  return found;
}

Result<std::unique_ptr<BlockStore::Writer>> BlockStore::Begin(const BlockMeta& meta) {
  const std::string path = DataPath(meta.identity.block_id) + std::string(kTemporarySuffix);
  RETURN_IF_ERROR(fs_.MakeDirectories(DirectoryOf(path)));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(path, OpenMode::kCreate));
  File& opened = *file;
  std::unique_ptr<Writer> writer(new Writer(*this, meta, std::move(file)));
  RETURN_IF_ERROR(opened.Allocate(block::BlockFileBytes(meta)));
  RETURN_IF_ERROR(writer->Append(block::EncodeHeaderFrame(meta)));
  return writer;
}

Status BlockStore::Publish(const std::vector<std::unique_ptr<Writer>>& writers) {
  std::set<std::string> directories;
  for (const std::unique_ptr<Writer>& writer : writers) {
    const BlockId block_id = writer->meta_.identity.block_id;
    SLIPSTREAM_CHECK(writer->file_ == nullptr, "id={} is not sealed", block_id);
    RETURN_IF_ERROR(WriteMetaFile(writer->meta_));
    RETURN_IF_ERROR(fs_.Rename(writer->path_, DataPath(block_id)));
    writer->path_ = DataPath(block_id);
    directories.insert(DirectoryOfBlock(block_id));
  }
  for (const std::string& directory : directories)
    RETURN_IF_ERROR(fs_.SyncDirectory(directory));
  for (const std::unique_ptr<Writer>& writer : writers)
    writer->path_.clear();
  return {};
}

Result<ReplicaReader> BlockStore::Read(BlockId block_id) const {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(DataPath(block_id), OpenMode::kRead));
  ASSIGN_OR_RETURN(BlockMeta meta, ReadMeta(block_id, *file));
  const uint64_t data_offset = block::HeaderFrameBytes(meta);
  return ReplicaReader(std::move(file), data_offset, std::move(meta));
}

Status BlockStore::Verify(const Identity& identity) const {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   fs_.Open(DataPath(identity.block_id), OpenMode::kRead));
  ASSIGN_OR_RETURN(BlockMeta meta, ReadMeta(identity.block_id, *file));
  if (meta.identity != identity) {
    return DataLoss(fmt::format("block {} is {}", ToString(identity), ToString(meta.identity)));
  }
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  if (size != block::BlockFileBytes(meta)) {
    return DataLoss(fmt::format("block id={}: file of {} bytes", identity.block_id, size));
  }
  const std::string table = block::EncodeSeekTable(meta);
  ASSIGN_OR_RETURN(bool has_header, Matches(*file, 0, block::EncodeHeaderFrame(meta)));
  ASSIGN_OR_RETURN(bool has_table, Matches(*file, size - table.size(), table));
  if (!has_header || !has_table) {
    return DataLoss(fmt::format("block id={}: header or seek table is wrong", identity.block_id));
  }
  const uint64_t data_offset = block::HeaderFrameBytes(meta);
  return ReplicaReader(std::move(file), data_offset, std::move(meta)).VerifyFrames();
}

Status BlockStore::Remove(BlockId block_id) {
  // Not synced: what comes back after a crash is reported, and its deletion is ordered again.
  RETURN_IF_ERROR(IgnoreNotFound(fs_.Remove(DataPath(block_id))));
  return IgnoreNotFound(fs_.Remove(MetaPath(block_id)));
}

Status BlockStore::Quarantine(BlockId block_id) {
  const std::string name = quarantine_.NewPath(block_id);
  RETURN_IF_ERROR(IgnoreNotFound(fs_.Rename(MetaPath(block_id), name + std::string(kMetaSuffix))));
  return IgnoreNotFound(fs_.Rename(DataPath(block_id), name + std::string(kDataSuffix)));
}

}  // namespace slipstream::datanode
