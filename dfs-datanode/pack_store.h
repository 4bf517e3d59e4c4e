#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/block/block.h"
#include "common/fs/file_system.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/pack_format.h"
#include "dfs-datanode/replica_reader.h"

namespace slipstream::datanode {

struct PackedBlock {
  block::BlockMeta meta;
  std::string stored;  // its frames
};

// PackStore: small blocks of one disk, many to a file.
//
// Layout      <root>/packs/<number>-<salt>.zst, append-only; byte format in docs/FORMATS.md,
//             "Packs". The pack with the highest number may be appended to; the others are sealed
//             and only take deletion marks, until they are rewritten or dropped.
// Ownership   owns the files in root/packs; borrows the file system.
// Threads     thread-safe. All writing is done by one caller at a time, for all that wait (group
//             commit); mutex_ is not held while the disk works.
// Durability  Put returns OK only after one fdatasync of the pack that covers it. Deletion marks
//             are not synced: a block that comes back after a crash is reported, and ordered
//             deleted again.
// Errors      kNotFound, kDataLoss, kResourceExhausted (disk full), kUnavailable (EIO).
class PackStore final {
 public:
  struct Options {
    std::string root;
    uint64_t pack_bytes_max = 64 << 20;  // at this size a pack is sealed
    uint64_t salt_seed = 0;              // 0: random
  };

  // Makes the index from the packs' records. A torn tail of the last pack is cut off; behind damage
  // elsewhere the next record is searched for, and what was in between is not in the index.
  static Result<std::unique_ptr<PackStore>> Open(const Options& options, FileSystem& fs);

  std::vector<block::Identity> List() const;

  // Stores valid blocks, none of which is here, all durable when it returns OK; none after an
  // error. Waits for, and shares the fdatasync of, all others who call it meanwhile.
  Status Put(const std::vector<PackedBlock>& blocks);

  Result<ReplicaReader> Read(block::BlockId block_id) const;

  // Checks record and frames. kDataLoss if the replica is not `identity`.
  Status Verify(const block::Identity& identity) const;

  Status Remove(block::BlockId block_id);
  // Writes what is readable of the bytes to `path`, and removes the block.
  Status Quarantine(block::BlockId block_id, const std::string& path);

  // Moves the live blocks of one sealed pack that is at least half dead into the pack in use, and
  // deletes it. Returns false if there was none. A pack that cannot be read is left as it is.
  Result<bool> RewriteOne();

 private:
  struct Pack {
    PackName name;
    uint64_t bytes = 0;       // where the next record goes
    uint64_t live_bytes = 0;  // records and frames of blocks in the index
    bool is_kept = false;     // damaged: not rewritten, so that nothing in it is lost for good
  };
  // Where the record of a block begins.
  struct Place {
    uint64_t pack_number = 0;
    uint64_t offset = 0;
    uint64_t total_bytes = 0;
    block::Identity identity;
  };
  // What one caller waits for.
  struct Request {
    const std::vector<PackedBlock>* blocks = nullptr;
    block::BlockId removed = 0;    // 0: none
    uint64_t moved_from_pack = 0;  // not 0: a rewriting; blocks gone from there meanwhile stay gone
    bool is_done = false;
    Status status;
  };

  PackStore(const Options& options, FileSystem& fs);

  std::string PathOf(const PackName& name) const;
  struct Scan {
    std::vector<std::pair<uint64_t, PackRecord>> records;  // good ones, by offset
    std::vector<block::BlockId> bad_blocks;                // whose frames do not hold
    uint64_t good_end = 0;      // where the last good record ends, with its frames
    uint64_t first_damage = 0;  // the pack's size: none
  };
  static Result<Scan> ScanRecords(const File& file,
                                  uint64_t size,
                                  uint64_t salt,
                                  bool checks_frames);
  Status ScanPack(const PackName& name, bool is_last);
  static Status SettleTail(File& file, const Scan& scan, Pack& pack);
  void Index(const Place& place) REQUIRES(mutex_);
  void Unindex(block::BlockId block_id) REQUIRES(mutex_);
  Result<Place> Find(block::BlockId block_id) const;
  Result<PackName> NameOf(uint64_t pack_number) const;
  // The record at a place, and its file.
  struct OpenRecord {
    std::unique_ptr<File> file;
    PackRecord record;
  };
  Result<OpenRecord> ReadRecord(const Place& place) const;
  Result<PackedBlock> ReadPacked(const Place& place) const;

  Status Submit(Request& request);
  // The three run in the one caller that writes, without mutex_.
  void WriteBatch(const std::vector<Request*>& batch);
  Status WriteBlocks(const std::vector<Request*>& batch, std::vector<Place>& places);
  Status WriteDeletion(block::BlockId block_id);
  Status OpenActive();
  void SealActive();

  const Options options_;
  const std::string directory_;
  FileSystem& fs_;

  mutable Mutex mutex_;
  CondVar done_;
  bool is_writing_ GUARDED_BY(mutex_) = false;  // some caller is in WriteBatch
  std::vector<Request*> waiting_ GUARDED_BY(mutex_);
  std::map<uint64_t, Pack> packs_ GUARDED_BY(mutex_);
  std::unordered_map<block::BlockId, Place> index_ GUARDED_BY(mutex_);

  // Of the caller that writes.
  std::unique_ptr<File> active_file_;  // null: the next write begins a pack
  PackName active_name_;
  uint64_t active_bytes_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace slipstream::datanode
