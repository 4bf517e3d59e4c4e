#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "producer/sort/sorted_run.h"

namespace slipstream::producer {

// EventSorter: sorts records by a number, keeping those with the same number in the order in which
// they came, in bounded memory: an external merge sort.
//
// Shape       Add() everything, Finish() once, then Next() to the end; Rewind() to have it again.
// Memory      records and index together stay below `memory_bytes`; what is more is sorted and
//             spilled into runs (sorted_run.h), of which at most kRunsMax are open; each takes
//             about half a MiB while it is read, and then the records' memory is free.
// Files       in `directory`, unlinked as soon as they are open: whatever ends the process, none
//             stays behind.
// Threads     one user at a time. All calls may block on the disk.
// Errors      of the file system; kResourceExhausted when the disk is full.
class EventSorter final {
 public:
  static constexpr size_t kRunsMax = 64;
  static constexpr size_t kMemoryBytesMin = 1'000'000;

  struct Options {
    size_t memory_bytes = 100 << 20;  // at least kMemoryBytesMin
    std::filesystem::path directory;
  };

  explicit EventSorter(Options options);
  ~EventSorter();

  Status Add(int64_t key, std::string_view record);
  Status Finish();
  // The next record in order, valid until the next call; false at the end.
  Result<bool> Next(int64_t& key, std::string_view& record);
  Status Rewind();

  uint64_t count() const { return count_; }
  uint64_t spilled_run_count() const { return spilled_run_count_; }

 private:
  struct Entry {
    int64_t key;
    const char* record;  // behind its length, a uint32_t
  };

  char* Allocate(size_t bytes);
  size_t memory_used() const;
  void SortEntries();
  Status Spill();
  // Merges all runs into one, so that as many can be added again.
  Status MergeRuns();
  Result<bool> NextMerged(int64_t& key, std::string_view& record);
  Status StartMerge();

  const Options options_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t chunk_bytes_used_ = 0;
  size_t chunk_bytes_total_ = 0;
  std::vector<Entry> entries_;
  size_t next_entry_ = 0;

  std::vector<std::unique_ptr<SortedRun>> runs_;
  // A heap, smallest first, of (key, index of the run whose next record has it).
  std::vector<std::pair<int64_t, size_t>> heap_;
  bool advances_front_ = false;  // the record given last is still the front's

  uint64_t count_ = 0;
  uint64_t spilled_run_count_ = 0;
};

}  // namespace slipstream::producer
