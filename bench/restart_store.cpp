#include "bench/restart_store.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include "common/clock/clock.h"
#include "dfs-master/codec.h"
#include "dfs-master/master.h"
#include "dfs-master/records.h"
#include "dfs-master/rocksdb_options.h"
#include "dfs-master/rocksdb_store.h"

namespace slipstream::bench {

namespace master = dfs::master;

namespace {

using dfs::master::BigEndian;
using dfs::master::BlockId;
using dfs::master::ChildKey;
using dfs::master::Inode;
using dfs::master::InodeId;
using dfs::master::Table;

constexpr uint64_t kTops = 100;
constexpr uint64_t kFolders = 1'000;  // ten in each
constexpr uint64_t kEntriesPerTableFile = 1'000'000;
constexpr size_t kWriteBufferBytes = size_t{8} << 20;

std::string TopPath(uint64_t top) {
  return fmt::format("/d{}", top);
}
std::string FolderPath(uint64_t folder) {
  return fmt::format("{}/s{}", TopPath(folder / (kFolders / kTops)), folder % (kFolders / kTops));
}
std::string FileName(uint64_t number) {
  return fmt::format("f{:06}", number);
}
uint64_t FilesPerFolder(uint64_t files) {
  return (files + kFolders - 1) / kFolders;
}

Status FromRocksDb(const rocksdb::Status& status) {
  return status.ok() ? Status() : Unavailable(status.ToString());
}

// Entries of one table, in order of their keys, as files of RocksDB's.
class TableFiles final {
 public:
  TableFiles(Table table, std::filesystem::path folder)
      : table_(table), folder_(std::move(folder)) {}

  Status Add(const std::string& key, const std::string& value) {
    if (writer_ == nullptr) {
      options_ = rocksdb::Options(rocksdb::DBOptions(),
                                  master::MakeTableOptions(kWriteBufferBytes, nullptr));
      writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options_);
      paths_.push_back(folder_ / fmt::format("{}-{}.sst", TableName(table_), paths_.size()));
      RETURN_IF_ERROR(FromRocksDb(writer_->Open(paths_.back())));
    }
    RETURN_IF_ERROR(FromRocksDb(writer_->Put(key, value)));
    return ++entries_ % kEntriesPerTableFile == 0 ? End() : Status();
  }
  Status End() {
    if (writer_ == nullptr) return {};
    RETURN_IF_ERROR(FromRocksDb(writer_->Finish()));
    writer_.reset();
    return {};
  }

  Table table() const { return table_; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  const Table table_;
  const std::filesystem::path folder_;
  rocksdb::Options options_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  std::vector<std::string> paths_;
  uint64_t entries_ = 0;
};

// What the master's own requests make: format, root, folders, nodes. Returns the folders' inodes.
Result<std::vector<InodeId>> MakeFolders(master::RocksDbStore& store) {
  ASSIGN_OR_RETURN(std::unique_ptr<master::Master> opened,
                   master::Master::Open({}, store, SystemClock::Get()));
  for (const char* node : kRestartNodes) {
    RETURN_IF_ERROR(
        opened->Register({.node_id = node, .address = std::string(node) + ":1"}).status());
  }
  std::vector<InodeId> folders;
  for (uint64_t folder = 0; folder < kFolders; ++folder) {
    ASSIGN_OR_RETURN(const master::FileStatus status,
                     opened->MakeDirectory(FolderPath(folder), {}, true));
    folders.push_back(status.id);
  }
  return folders;
}

// Folders, sums and marks as they are with the files.
Status AccountForFiles(master::RocksDbStore& store, InodeId first, uint64_t files) {
  master::WriteBatch batch;
  Status damage;
  RETURN_IF_ERROR(
      store.Scan(Table::kInodes, "", "", [&](std::string_view key, std::string_view value) {
        Inode inode;
        damage = master::Decode(value, inode);
        // Those that have no folders: the lowest.
        if (inode.child_count == 0) inode.child_count = FilesPerFolder(files);
        batch.Put(Table::kInodes, std::string(key), master::Encode(inode));
        return damage.ok();
      }));
  RETURN_IF_ERROR(damage);
  master::Totals totals{.files = files, .directories = kTops + kFolders, .blocks = files};
  for (uint64_t file = 0; file < files; ++file) {
    totals.raw_bytes += RestartBlock(file + 1).raw_bytes;
    totals.stored_bytes += RestartBlock(file + 1).stored_bytes;
  }
  batch.Put(Table::kMeta, master::kMetaTotals, master::Encode(totals));
  batch.Put(Table::kMeta, master::kMetaInodeIdEnd, BigEndian(first + files));
  batch.Put(Table::kMeta, master::kMetaBlockIdEnd, BigEndian(files + 1));
  ASSIGN_OR_RETURN(const uint64_t position, store.Apply(batch));
  return store.Sync(position);
}

Inode FileInode(InodeId id, const master::Block& block) {
  Inode inode;
  inode.id = id;
  inode.length_bytes = block.raw_bytes;
  inode.stored_bytes = block.stored_bytes;
  inode.block_count = 1;
  inode.replication = 2;
  inode.modified_at_ms = 1'700'000'000'000 + static_cast<int64_t>(id);
  inode.attributes = {.owner = "bench", .group = "bench", .mode = 0644};
  return inode;
}

Status WriteFiles(const std::vector<InodeId>& folders,
                  InodeId first,
                  uint64_t files,
                  std::vector<TableFiles>& tables) {
  for (uint64_t file = 0; file < files; ++file) {
    const InodeId id = first + file;
    const master::Block block = RestartBlock(file + 1);
    const std::string key =
        ChildKey(folders[file / FilesPerFolder(files)], FileName(file % FilesPerFolder(files)));
    RETURN_IF_ERROR(tables[0].Add(key, master::Encode(FileInode(id, block))));
    RETURN_IF_ERROR(tables[1].Add(BigEndian(id), key));
    RETURN_IF_ERROR(tables[2].Add(master::FileBlockKey(id, 0),
                                  master::Encode(master::FileBlock{
                                      .block = block, .replication = 2, .first_holders = {1, 2}})));
  }
  for (TableFiles& table : tables)
    RETURN_IF_ERROR(table.End());
  return {};
}

Status TakeIn(const std::filesystem::path& store, const std::vector<TableFiles>& tables) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::ListColumnFamilies({}, store, &names)));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.reserve(names.size());
  for (const std::string& name : names)
    families.emplace_back(name, master::MakeTableOptions(kWriteBufferBytes, nullptr));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::Open({}, store, families, &handles, &opened)));
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  rocksdb::Status status;
  for (const TableFiles& table : tables) {
    const auto found = std::find(names.begin(), names.end(), TableName(table.table()));
    if (found == names.end()) return Internal("the store lacks a table");
    rocksdb::ColumnFamilyHandle* handle = handles[static_cast<size_t>(found - names.begin())];
    if (status.ok()) status = db->IngestExternalFile(handle, table.paths(), options);
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles)
    (void)db->DestroyColumnFamilyHandle(handle);
  return FromRocksDb(status);
}

}  // namespace

master::Block RestartBlock(BlockId id) {
  const auto mixed = static_cast<uint32_t>((id * 0x9e3779b97f4a7c15U) >> 32U);
  return {.id = id, .raw_bytes = 1'000 + mixed % 9'000, .stored_bytes = 900, .crc32c = mixed};
}

std::string RestartPath(uint64_t file, uint64_t files) {
  return FolderPath(file / FilesPerFolder(files)) + "/" + FileName(file % FilesPerFolder(files));
}

Status MakeRestartStore(const std::filesystem::path& data_dir, uint64_t files) {
  const std::filesystem::path directory = data_dir / "meta";
  InodeId first = 0;
  std::vector<InodeId> folders;
  {
    ASSIGN_OR_RETURN(std::unique_ptr<master::RocksDbStore> store,
                     master::RocksDbStore::Open({.directory = directory, .on_fatal = {}}));
    ASSIGN_OR_RETURN(folders, MakeFolders(*store));
    first = *std::max_element(folders.begin(), folders.end()) + 1;
    RETURN_IF_ERROR(AccountForFiles(*store, first, files));
  }
  std::vector<TableFiles> tables;
  for (const Table table : {Table::kInodes, Table::kInodeNames, Table::kFileBlocks})
    tables.emplace_back(table, data_dir);
  RETURN_IF_ERROR(WriteFiles(folders, first, files, tables));
  return TakeIn(directory, tables);
}

}  // namespace slipstream::bench
