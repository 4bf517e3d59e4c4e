#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::runtime {

// An epoch (a task's commit number) and the incarnation that made the attempt; {0, 0}: none yet.
struct MarkPair {
  uint64_t epoch = 0;
  uint64_t incarnation = 0;

  friend bool operator==(const MarkPair&, const MarkPair&) = default;
};

// "12/3": for messages.
std::string ToString(const MarkPair& pair);

// A file that a task goes on appending to.
struct OpenFile {
  uint32_t sink = 0;           // index of the file sink in the program
  std::string partition_path;  // "" or "carrier=AA/"
  std::string path;
  uint64_t inode_id = 0;  // 0: on the local disk
  uint64_t length_bytes = 0;
  int64_t opened_at_ms = 0;  // since 1970 UTC

  friend bool operator==(const OpenFile&, const OpenFile&) = default;
};

// A folder of a file sink whose success file is still to come.
struct OpenPartition {
  uint32_t sink = 0;  // index of the file sink in the program
  std::string partition_path;
  int64_t since_ms = 0;  // its first row, since 1970 UTC

  friend bool operator==(const OpenPartition&, const OpenPartition&) = default;
};

// Mark: what a task was when it committed: the last record it writes to its changelog partition in
// a transaction. Everything a new owner restores is as it was at the mark.
struct Mark {
  MarkPair pair;
  MarkPair file_pair;         // the last epoch that wrote files of the file system; {0, 0}: none
  int64_t position = 0;       // offset of the next input record
  int64_t end = -1;           // where the bounded input ends; -1: it does not
  bool is_done = false;       // the end was reached and all windows fired
  bool is_idle = false;       // declared at this commit
  int64_t watermark = 0;      // EventTimeUs
  uint32_t sender_count = 0;  // of a stage behind a repartition topic; 0: there is none
  uint64_t next_file_number = 0;  // of the task's next new file
  std::string fingerprint;        // of the plan
  std::string host;               // where the local files lie; empty: there are none
  std::vector<OpenFile> open_files;
  std::vector<OpenPartition> open_partitions;

  friend bool operator==(const Mark&, const Mark&) = default;
};

std::string EncodeMark(const Mark& mark);
// kDataLoss if a byte is wrong, missing or too many, or the version is another.
Result<Mark> ParseMark(std::string_view bytes);

// The text that goes with the task's committed offset: "<epoch> <incarnation>", and " done".
struct OffsetMetadata {
  MarkPair pair;
  bool is_done = false;

  friend bool operator==(const OffsetMetadata&, const OffsetMetadata&) = default;
};
std::string EncodeOffsetMetadata(const OffsetMetadata& metadata);
// kDataLoss for any other text: somebody else committed to the job's group.
Result<OffsetMetadata> ParseOffsetMetadata(std::string_view text);

}  // namespace slipstream::runtime
