#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "processor/runtime/task_program.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// A file sink of the job, with its path taken apart.
struct FileSinkTarget {
  std::string folder;  // absolute, '/' at its end
  FileSinkSpec spec;
};

// The names of a task's new files: part-<stage>-<partition>-<n>-<short uuid><extension>. No name is
// given twice for a job: n only rises, and is kept in the task's mark.
class FileNamer final {
 public:
  FileNamer(uint32_t stage,
            uint32_t input,
            int32_t partition,
            std::string_view job_uuid,
            uint64_t next_number);

  // The full path of the next file of `target` in `partition_path`.
  std::string Next(const FileSinkTarget& target, std::string_view partition_path);
  uint64_t next_number() const { return next_number_; }
  // What all names of this task begin and end with, but for the extension.
  const std::string& prefix() const { return prefix_; }
  const std::string& suffix() const { return suffix_; }

 private:
  std::string prefix_;  // "part-0-2-"
  std::string suffix_;  // "-1b4e28ba"
  uint64_t next_number_;
};

// Files of one task that stay open over a commit; beyond it those written least recently are
// closed. The mark names each, in one record, which brokers take up to 1 MB.
inline constexpr size_t kOpenFilesMax = 1'000;

// Whether `file`, which got its last row at `written_at_ms`, is to be closed with the epoch that
// ends at `now_ms`.
bool IsRollDue(const OpenFile& file,
               int64_t written_at_ms,
               const FileSinkSpec& spec,
               int64_t now_ms);

// RollClock: when the next of a task's open files is to be closed, so that nobody has to look at
// each of them after every batch. Begun anew with each epoch; within one, files only come, and
// rows, after which it may say too early that some file was without any.
class RollClock final {
 public:
  void Clear() { next_roll_at_ms_ = kNever; }
  // A file of `file`'s length and age is open, which got its last row at `written_at_ms`.
  void Add(const OpenFile& file, int64_t written_at_ms, const FileSinkSpec& spec);
  bool IsDue(int64_t now_ms) const { return now_ms >= next_roll_at_ms_; }

 private:
  static constexpr int64_t kNever = INT64_MAX;
  int64_t next_roll_at_ms_ = kNever;
};

}  // namespace slipstream::runtime
