#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "processor/connectors/file_rolling.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// PartitionCommits: the folders of one task that wait for the file that says that they are whole
// (FileSinkSpec::success_file).
//
//   Add… → EndEpoch → (the epoch is committed, its files are visible) → Ready → OnWritten → Add…
//
// A folder is named by the mark from its first row on until its file has been written; who restores
// from an older mark writes the file once more, which changes nothing. Rows that come afterwards
// open the folder anew.
//
// Threads  one at a time.
class PartitionCommits final {
 public:
  // Of a task, over all its sinks: brokers take a mark of up to 1 MB.
  static constexpr size_t kOpenMax = 10'000;
  // Up to where in event time all rows of the sink are visible.
  using VisibleTime = std::function<EventTimeUs(size_t sink)>;

  // `targets`: by index of the program's sink; those without a success file are passed over.
  PartitionCommits(const std::vector<std::pair<size_t, FileSinkTarget>>& targets,
                   const std::vector<OpenPartition>& open);

  // Rows come for the folder. kResourceExhausted: too many are open.
  Status Add(size_t sink, std::string_view partition_path, int64_t now_ms);

  // Whether a folder is complete that EndEpoch has not given yet.
  bool HasDue(int64_t now_ms, const VisibleTime& visible) const;
  // The folders, by sink, that are complete with the rows of the epoch that ends now. `is_last`: no
  // more rows will come from this task.
  std::vector<std::pair<size_t, std::string>> EndEpoch(int64_t now_ms,
                                                       bool is_last,
                                                       const VisibleTime& visible);
  // Paths of the success files of those that EndEpoch gave, by sink. Only once that epoch's files
  // are visible.
  std::vector<std::pair<size_t, std::string>> Ready() const;
  // Those of Ready are written.
  void OnWritten();

  bool empty() const { return folders_.empty(); }
  // Whether Ready gives any.
  bool has_closing() const { return closing_count_ > 0; }
  std::vector<OpenPartition> open() const;

 private:
  using Key = std::pair<size_t, std::string>;
  struct Folder {
    int64_t since_ms = 0;
    // It is complete beyond it: event time in microseconds, or milliseconds since 1970 UTC.
    int64_t deadline = 0;
    bool is_closing = false;  // EndEpoch gave it, and no row has come since
  };
  struct Sink {
    FileSinkTarget target;
    int64_t first_deadline = INT64_MAX;  // of folders that are not closing

    bool is_timed() const { return target.spec.partition_commit.is_by_watermark; }
    int64_t DeadlineOf(std::string_view partition_path, int64_t since_ms) const;
  };
  static bool IsPast(const Sink& sink, size_t number, int64_t now_ms, const VisibleTime& visible);

  std::map<size_t, Sink> sinks_;
  std::map<Key, Folder> folders_;
  size_t closing_count_ = 0;
};

// Writes an empty file on this machine's disk, where another of its name may stand, with the folder
// if it is missing. Durability: file and name are durable once it returns OK.
Status WriteSuccessFile(const std::string& path);

// Writes empty files, where others of their names may stand, to the file system and this machine's
// disk. `paths`: by index of the sink; `owner`: of the appends at the file system, nobody else's.
// `store`: null, if `is_dfs` is true of none.
// Blocking    up to the store's deadline. Durability: all are durable once it returns OK.
Status WriteSuccessFiles(const std::vector<std::pair<size_t, std::string>>& paths,
                         const std::function<bool(size_t sink)>& is_dfs,
                         dfs::AppendStore* store,
                         const std::string& owner);

}  // namespace slipstream::runtime
