#include "producer/sort/event_sorter.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "common/check/check.h"

namespace slipstream::producer {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

}  // namespace

EventSorter::EventSorter(Options options) : options_(std::move(options)) {
  SLIPSTREAM_CHECK(options_.memory_bytes >= kMemoryBytesMin, "bytes={}", options_.memory_bytes);
}

EventSorter::~EventSorter() = default;

char* EventSorter::Allocate(size_t bytes) {
  if (chunks_.empty() || kChunkBytes - chunk_bytes_used_ < bytes) {
    // A record larger than a chunk has one of its own, which nothing else then fits in.
    size_t chunk_bytes = std::max(kChunkBytes, bytes);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes));
    chunk_bytes_total_ += chunk_bytes;
    chunk_bytes_used_ = 0;
  }
  char* allocated = chunks_.back().get() + chunk_bytes_used_;
  chunk_bytes_used_ = std::min(kChunkBytes, chunk_bytes_used_ + bytes);
  return allocated;
}

// What stable_sort will take beside the entries is counted with them.
size_t EventSorter::memory_used() const {
  return chunk_bytes_total_ + entries_.capacity() * sizeof(Entry) +
         entries_.size() * sizeof(Entry) / 2;
}

Status EventSorter::Add(int64_t key, std::string_view record) {
  size_t needed = sizeof(uint32_t) + record.size() + 2 * kChunkBytes;
  if (entries_.size() == entries_.capacity()) needed += entries_.capacity() * sizeof(Entry);
  if (!entries_.empty() && memory_used() + needed > options_.memory_bytes) {
    RETURN_IF_ERROR(Spill());
  }
  auto length = static_cast<uint32_t>(record.size());
  char* copy = Allocate(sizeof(length) + record.size());
  std::memcpy(copy, &length, sizeof(length));
  if (!record.empty()) std::memcpy(copy + sizeof(length), record.data(), record.size());
  entries_.push_back({key, copy});
  ++count_;
  return {};
}

void EventSorter::SortEntries() {
  auto by_key = [](const Entry& a, const Entry& b) { return a.key < b.key; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_key)) {
    std::stable_sort(entries_.begin(), entries_.end(), by_key);
  }
}

Status EventSorter::Spill() {
  SortEntries();
  ASSIGN_OR_RETURN(std::unique_ptr<SortedRun> run, SortedRun::Create(options_.directory));
  for (const Entry& entry : entries_) {
    uint32_t length = 0;
    std::memcpy(&length, entry.record, sizeof(length));
    RETURN_IF_ERROR(run->Append(entry.key, {entry.record + sizeof(length), length}));
  }
  RETURN_IF_ERROR(run->Seal());
  runs_.push_back(std::move(run));
  ++spilled_run_count_;
  entries_.clear();
  chunks_.clear();
  chunk_bytes_used_ = 0;
  chunk_bytes_total_ = 0;
  // Only now, when the memory is free for the runs' buffers.
  return runs_.size() < kRunsMax ? Status() : MergeRuns();
}

Status EventSorter::MergeRuns() {
  ASSIGN_OR_RETURN(std::unique_ptr<SortedRun> merged, SortedRun::Create(options_.directory));
  RETURN_IF_ERROR(StartMerge());
  while (true) {
    int64_t key = 0;
    std::string_view record;
    ASSIGN_OR_RETURN(bool more, NextMerged(key, record));
    if (!more) break;
    RETURN_IF_ERROR(merged->Append(key, record));
  }
  RETURN_IF_ERROR(merged->Seal());
  runs_.clear();
  runs_.push_back(std::move(merged));
  return {};
}

Status EventSorter::Finish() {
  if (runs_.empty()) {
    SortEntries();
    return {};
  }
  if (!entries_.empty()) RETURN_IF_ERROR(Spill());
  entries_.shrink_to_fit();
  return StartMerge();
}

Status EventSorter::StartMerge() {
  heap_.clear();
  advances_front_ = false;
  for (size_t i = 0; i < runs_.size(); ++i) {
    RETURN_IF_ERROR(runs_[i]->StartReading());
    ASSIGN_OR_RETURN(bool more, runs_[i]->Advance());
    if (more) heap_.emplace_back(runs_[i]->key(), i);
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  return {};
}

// Of equal keys the run spilled first comes first: the order in which they were added.
Result<bool> EventSorter::NextMerged(int64_t& key, std::string_view& record) {
  if (advances_front_) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    SortedRun& run = *runs_[heap_.back().second];
    ASSIGN_OR_RETURN(bool more, run.Advance());
    if (more) {
      heap_.back().first = run.key();
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    } else {
      heap_.pop_back();
    }
    advances_front_ = false;
  }
  if (heap_.empty()) return false;
  key = heap_.front().first;
  record = runs_[heap_.front().second]->record();
  advances_front_ = true;
  return true;
}

Result<bool> EventSorter::Next(int64_t& key, std::string_view& record) {
  if (!runs_.empty()) return NextMerged(key, record);
  if (next_entry_ == entries_.size()) return false;
  const Entry& entry = entries_[next_entry_++];
  uint32_t length = 0;
  std::memcpy(&length, entry.record, sizeof(length));
  key = entry.key;
  record = {entry.record + sizeof(length), length};
  return true;
}

Status EventSorter::Rewind() {
  next_entry_ = 0;
  return runs_.empty() ? Status() : StartMerge();
}

}  // namespace slipstream::producer
