#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"
#include "common/fs/file_system.h"
#include "common/status/status.h"
#include "dfs-datanode/quarantine_dir.h"
#include "dfs-datanode/replica_reader.h"

namespace slipstream::datanode {

// BlockStore: blocks that have a file each, on one disk. The files are the index: it keeps none.
//
// Layout      <root>/blocks/<2 hex>/<id>.zst and .meta; byte format in docs/FORMATS.md, "Blocks".
//             A block being written is <id>.zst.tmp there.
// Ownership   owns the files under root/blocks; borrows file system and quarantine.
// Threads     thread-safe for different blocks; its caller (ReplicaStore) sees to it that one block
//             is written, removed or quarantined by one thread at a time.
// Durability  Publish returns OK only after data and names are on the disk. The .meta is a second
//             copy of the checksums, never synced: it is made again from the .zst at the next scan.
// Errors      kNotFound, kDataLoss, kResourceExhausted (disk full), kUnavailable (EIO).
class BlockStore final {
 public:
  class Writer;

  // Makes the directories.
  static Result<std::unique_ptr<BlockStore>> Open(const std::string& root,
                                                  FileSystem& fs,
                                                  const QuarantineDir& quarantine);

  // What is there, by the files' headers; the data is not read. Call once, before anything is
  // written: removes what a crash left half-written, repairs missing .meta files, and moves files
  // that are no block to quarantine.
  Result<std::vector<block::Identity>> Scan();

  // `meta` must be valid, and no replica of it may be here.
  Result<std::unique_ptr<Writer>> Begin(const block::BlockMeta& meta);

  // Gives sealed blocks their names. On an error none of them stays.
  Status Publish(const std::vector<std::unique_ptr<Writer>>& writers);

  Result<ReplicaReader> Read(block::BlockId block_id) const;

  // Compares every byte of the replica with what it must be. kDataLoss if it is not `identity`.
  Status Verify(const block::Identity& identity) const;

  Status Remove(block::BlockId block_id);
  // Moves the replica to the quarantine, out of everybody's way.
  Status Quarantine(block::BlockId block_id);

 private:
  BlockStore(const std::string& root, FileSystem& fs, const QuarantineDir& quarantine);

  std::string DirectoryOfBlock(block::BlockId block_id) const;
  std::string DataPath(block::BlockId block_id) const;
  std::string MetaPath(block::BlockId block_id) const;
  Result<std::optional<block::Identity>> ScanFile(block::BlockId block_id);
  Status ScanDirectory(const std::string& name, std::vector<block::Identity>& found);
  // The block of a file by its header or, where that is damaged, by its .meta.
  Result<block::BlockMeta> ReadMeta(block::BlockId block_id, const File& data) const;
  Result<block::BlockMeta> ReadMetaFile(block::BlockId block_id) const;
  Status WriteMetaFile(const block::BlockMeta& meta);

  const std::string root_;
  FileSystem& fs_;
  const QuarantineDir& quarantine_;
};

// Writer: one block on its way to the disk; without Publish its destructor removes all trace.
// Threads  not thread-safe.
class BlockStore::Writer final {
 public:
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // The next stored bytes; the caller verifies them.
  Status Append(std::string_view stored);
  // After the last byte: the content is durable, under its temporary name. Closes the file.
  Status Seal();

 private:
  friend class BlockStore;
  Writer(BlockStore& store, block::BlockMeta meta, std::unique_ptr<File> file);

  BlockStore& store_;
  const block::BlockMeta meta_;
  std::unique_ptr<File> file_;  // null once sealed
  uint64_t offset_ = 0;
  std::string path_;  // what the destructor removes; empty: nothing
};

}  // namespace slipstream::datanode
