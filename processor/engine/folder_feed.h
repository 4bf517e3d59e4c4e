#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/logger.h>

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/file_source.h"
#include "processor/engine/line_reader.h"
#include "processor/engine/partition_filter.h"
#include "processor/engine/scan_layout.h"
#include "processor/engine/seen_files.h"
#include "processor/types/value.h"

namespace slipstream::sql {

// FolderFeed: the records of a watched table ('source.monitor-interval'), for one of the tasks that
// share its files by the hash of their paths: file after file, the one that was changed longest ago
// first, each once. It looks for new ones at the table's interval, when it has read those it knows.
//
//   Next; Taken; Next; Taken; … and SaveChanges between a Taken and the next Next
//
// A file that its store says is still being written waits until it is closed. A file that has gone
// before it was begun is passed over. One that cannot be read to its end, or has gone half-way,
// stops the job, unless 'scan.on-data-loss' = 'continue'.
//
// Ownership  borrows files and layout.
// Threads    one at a time. Blocking  Next.
class FolderFeed {
 public:
  struct Share {
    uint64_t task = 0;
    uint64_t of = 1;
  };

  FolderFeed(const FileTable& table,
             const ScanLayout& layout,
             PartitionFilter filter,
             FileSource& files,
             Share share);
  ~FolderFeed();

  struct Records {
    std::vector<std::string_view> lines;  // of one file; valid until the next call
    int64_t first_number = 0;  // of all records that the feed ever gave; the next are + 1
    std::string_view path;     // the file's
    // Nothing, and nothing more is there for now.
    bool is_caught_up = false;
  };
  // What is there, up to about a mebibyte of one file. Errors: kUnavailable (what holds the files
  // is away, or there is no such folder; nothing has changed, call again), kFailedPrecondition (see
  // above), kInvalidArgument (a file outside of the table's folders).
  Result<Records> Next(int64_t now_us);
  // The records that Next gave are dealt with.
  void Taken();

  // The file whose records Next gave, as it was listed, and the values of the layout's partition
  // columns.
  const SourceFile& file() const { return current_.file; }
  const std::vector<Value>& partition() const { return current_.partition; }
  SeenFiles& seen() { return seen_; }

 private:
  struct File {
    SourceFile file;
    std::vector<Value> partition;
  };

  // Lists the folder: what is to be read, in order.
  Status Look(int64_t now_us);
  Status AddPending(SourceFile file);
  // Opens what is to be read next, if there is something.
  Status OpenNext(int64_t now_us);
  // The file that was begun before, behind what of it was given.
  Status OpenBegun();
  Status OpenAt(const BegunFile& begun);
  void StartReading(std::unique_ptr<FileReader> reader, uint64_t skipped_bytes);
  Records Given(std::vector<std::string_view> lines);
  // A file cannot be read to its end: an error, unless the table goes on without.
  Status Lose(const std::string& why);
  void Close();

  const FileTable table_;
  const ScanLayout& layout_;
  const PartitionFilter filter_;
  FileSource& files_;
  const Share share_;
  const std::shared_ptr<spdlog::logger> log_;

  SeenFiles seen_;
  std::deque<File> pending_;
  int64_t next_look_us_ = INT64_MIN;
  int64_t retry_us_ = INT64_MIN;
  File current_;
  std::unique_ptr<FileReader> reader_;  // null: none is open
  std::unique_ptr<LineReader> lines_;
  uint64_t skipped_bytes_ = 0;  // of the text, before what lines_ reads
  size_t given_ = 0;            // records that wait for Taken
};

}  // namespace slipstream::sql
