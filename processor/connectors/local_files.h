#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/connectors/file_rolling.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// LocalFiles: the files of one task on this machine's disk. A reader may see rows before their
// commit; a task that is restored cuts its files back to the lengths of its mark and removes those
// the mark does not know, so after a crash nothing is there twice.
//
// Threads     the task's worker thread.
// Durability  Flush returns OK only after data, sizes and new folder entries are synced.
class LocalFiles final {
 public:
  struct Options {
    std::vector<std::pair<size_t, FileSinkTarget>> targets;  // by index of the program's sink
    int64_t now_ms = 0;  // files that were open before count as written now
  };

  LocalFiles(Options options, FileNamer& namer, std::vector<OpenFile> open_files);
  ~LocalFiles();

  bool has_sink(size_t sink) const { return targets_.contains(sink); }

  // Before the first Append: makes the disk what the mark says. kDataLoss if a file is shorter
  // than its mark or gone.
  Status Restore();

  Status Append(size_t sink,
                std::string_view partition_path,
                std::string_view rows,
                int64_t now_ms);
  uint64_t staged_bytes() const { return staged_bytes_; }
  bool HasRollDue(int64_t now_ms) const { return roll_clock_.IsDue(now_ms); }

  // The folder's file, if one is open, is closed by the next Flush.
  void Close(size_t sink, const std::string& partition_path);
  // Writes and syncs what was appended, and closes files that are full, old, or written least
  // recently of more than kOpenFilesMax; then the open files are those the mark must have. kAborted
  // if the files are not as this task left them: somebody else has taken the partition over.
  Status Flush(int64_t now_ms, bool is_last);
  std::vector<OpenFile> open_files() const;

 private:
  struct File;
  using Key = std::pair<size_t, std::string>;

  // `changed`: takes the folders that have got new entries, which are not synced yet.
  static Status WriteFile(File& file, std::set<std::filesystem::path>& changed);
  void CloseSurplus();
  Status RemoveUnknown(const FileSinkTarget& target) const;

  std::map<size_t, FileSinkTarget> targets_;
  FileNamer& namer_;
  std::map<Key, std::unique_ptr<File>> files_;
  uint64_t staged_bytes_ = 0;
  uint64_t write_count_ = 0;  // the order of writes, to find the file written least recently
  RollClock roll_clock_;
};

}  // namespace slipstream::runtime
