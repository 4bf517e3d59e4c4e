#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/logger.h>

#include "common/block/encoded_block.h"
#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "processor/connectors/file_rolling.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// DfsFiles: the files of one task in the replicated file system, one open for each (sink,
// partition path). Rows are compressed as they come; nothing leaves before the commit.
//
//   Append… → EndEpoch → WriteEpochs → MakeEpoch → (the caller's Prepare) → TakePrepared → Append…
//
// After TakePrepared the open files are those of the epoch prepared, as the mark must have them;
// if its transaction then fails, the whole task is thrown away and restored from an older mark.
// Ownership  borrows the compressor and the namer; they must outlive it.
// Threads    the task's worker thread.
// Blocking   WriteEpochs only.
class DfsFiles final {
 public:
  struct Options {
    std::string owner;                                       // of the appends
    std::vector<std::pair<size_t, FileSinkTarget>> targets;  // by index of the program's sink
    int64_t now_ms = 0;  // files that were open before count as written now
  };

  DfsFiles(Options options,
           block::FrameCompressor& compressor,
           FileNamer& namer,
           std::vector<OpenFile> open_files);
  ~DfsFiles();

  bool has_sink(size_t sink) const { return targets_.contains(sink); }

  Status Append(size_t sink,
                std::string_view partition_path,
                std::string_view rows,
                int64_t now_ms);

  // Memory of what waits for the next commit: compressed frames, rows that are not compressed yet,
  // and what each file costs besides.
  uint64_t staged_bytes() const { return staged_bytes_; }
  // Whether some open file must be closed by now even without new rows.
  bool HasRollDue(int64_t now_ms) const { return roll_clock_.IsDue(now_ms); }

  // The folder's file, if one is open, is closed with the epoch that ends next.
  void Close(size_t sink, const std::string& partition_path);
  // Cuts the last blocks of the epoch and decides which files end with it (all, if `is_last`; those
  // beyond kOpenFilesMax).
  void EndEpoch(int64_t now_ms, bool is_last);
  // Whether the epoch touches any file.
  bool has_epoch() const { return has_epoch_; }

  // Makes the blocks of all these epochs durable, in one call: several tasks of a worker cost no
  // more round trips, and no more patience, than one. May be called again after kUnavailable.
  static Status WriteEpochs(dfs::AppendStore& store, std::span<DfsFiles* const> all);

  std::vector<dfs::FileAppend> MakeEpoch() const;

  // Takes the answer to Prepare. False: files were deleted meanwhile; new ones take their rows, and
  // the epoch must be written and prepared again, under a new incarnation.
  Result<bool> TakePrepared(const dfs::PreparedEpoch& prepared, int64_t now_ms);

  const std::string& owner() const { return options_.owner; }
  std::vector<OpenFile> open_files() const;

 private:
  struct File;
  using Key = std::pair<size_t, std::string>;

  void StartFile(File& file, const Key& key, int64_t now_ms);
  static void CutBlock(File& file);
  void CloseSurplus();
  // The epoch's blocks that are not durable yet.
  void CollectBlocks(std::vector<const block::EncodedBlock*>& blocks) const;
  // Takes what became of them, from the front of `durable`.
  void TakeDurable(std::span<dfs::DurableBlock>& durable);

  const Options options_;
  block::FrameCompressor& compressor_;
  FileNamer& namer_;
  std::map<size_t, FileSinkTarget> targets_;
  std::map<Key, std::unique_ptr<File>> files_;
  std::vector<File*> epoch_files_;  // in the order of MakeEpoch
  bool has_epoch_ = false;
  uint64_t staged_bytes_ = 0;
  uint64_t write_count_ = 0;  // the order of writes, to find the file written least recently
  RollClock roll_clock_;
  std::shared_ptr<spdlog::logger> log_;
};

}  // namespace slipstream::runtime
