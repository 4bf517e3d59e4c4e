#include "dfs-master/merge_finder.h"

#include <algorithm>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kRunBlocksMin = 8;
// Of one order, which names them all.
constexpr size_t kRunBlocksMax = 1'000;
// The largest block merged, as a part of all: one over this.
constexpr uint64_t kGrowthMin = 4;

// Files remembered; when there are more, all are forgotten, and the pass over all finds them.
constexpr size_t kGrowingMax = 100'000;
constexpr size_t kRestingMax = 10'000;

uint64_t SumOf(std::span<const FileBlock> blocks) {
  uint64_t bytes = 0;
  for (const FileBlock& entry : blocks)
    bytes += entry.block.raw_bytes;
  return bytes;
}

// Small blocks that follow one another in a file, as they are read: a window that is moved on when
// it would become more than one block can hold.
class Window {
 public:
  bool is_empty() const { return blocks_.empty(); }
  bool IsOf(InodeId file) const { return file_ == file; }
  uint64_t begin_bytes() const { return begin_bytes_; }
  InodeId file() const { return file_; }

  void Clear() {
    blocks_.clear();
    raw_bytes_ = 0;
  }
  bool HasRoomFor(const FileBlock& entry) const {
    return blocks_.size() < kRunBlocksMax &&
           raw_bytes_ + entry.block.raw_bytes <= kBlockRawBytesMax;
  }
  void DropFirst() {
    begin_bytes_ += blocks_.front().block.raw_bytes;
    raw_bytes_ -= blocks_.front().block.raw_bytes;
    blocks_.erase(blocks_.begin());
  }
  void Add(InodeId file, uint64_t offset_bytes, FileBlock entry) {
    if (blocks_.empty()) {
      file_ = file;
      begin_bytes_ = offset_bytes;
    }
    raw_bytes_ += entry.block.raw_bytes;
    blocks_.push_back(std::move(entry));
  }

  std::optional<MergeRun> Choose() const {
    const auto [begin, end] = ChooseMerge(blocks_);
    if (begin == end) return std::nullopt;
    const std::span<const FileBlock> all(blocks_);
    const std::span<const FileBlock> chosen = all.subspan(begin, end - begin);
    return MergeRun{.file = file_,
                    .offset_bytes = begin_bytes_ + SumOf(all.first(begin)),
                    .blocks = {chosen.begin(), chosen.end()}};
  }

 private:
  InodeId file_ = kNoInode;
  uint64_t begin_bytes_ = 0;
  uint64_t raw_bytes_ = 0;
  std::vector<FileBlock> blocks_;
};

// Reads the table's entries in order, until a run is found.
class RunSearch {
 public:
  explicit RunSearch(size_t& budget) : budget_(budget) {}

  // False: enough.
  bool Visit(std::string_view key, std::string_view value) {
    if (budget_ == 0) return false;
    --budget_;
    const InodeId file = ReadBigEndian(key);
    const uint64_t offset_bytes = ReadBigEndian(key, sizeof(InodeId));
    FileBlock entry;
    status_ = Decode(value, entry);
    if (!status_.ok()) return false;
    const bool is_small = MergeFinder::IsSmall(entry);
    if (!window_.is_empty() && (!is_small || !window_.IsOf(file))) {
      if (Choose()) return false;
      window_.Clear();
    }
    resume_bytes_ = offset_bytes + entry.length_bytes();
    resume_file_ = file;
    if (!is_small) return true;
    while (!window_.is_empty() && !window_.HasRoomFor(entry)) {
      if (Choose()) return false;
      window_.DropFirst();
    }
    window_.Add(file, offset_bytes, std::move(entry));
    return true;
  }

  // At the end of the range, or of what may be looked at.
  bool Choose() {
    if (!run_.has_value()) run_ = window_.Choose();
    return run_.has_value();
  }

  const Status& status() const { return status_; }
  std::optional<MergeRun> TakeRun() { return std::move(run_); }
  // Behind the run that was found; else at the small blocks that may go on, or behind what was
  // looked at; empty: nothing was.
  std::string ResumeKey() const {
    if (run_.has_value()) return FileBlockKey(run_->file, run_->offset_bytes + run_->raw_bytes());
    if (!window_.is_empty()) return FileBlockKey(window_.file(), window_.begin_bytes());
    return resume_file_ == kNoInode ? std::string() : FileBlockKey(resume_file_, resume_bytes_);
  }

 private:
  size_t& budget_;
  Window window_;
  std::optional<MergeRun> run_;
  InodeId resume_file_ = kNoInode;
  uint64_t resume_bytes_ = 0;
  Status status_;
};

}  // namespace

uint32_t MergeRun::raw_bytes() const {
  return static_cast<uint32_t>(SumOf(blocks));
}

std::pair<size_t, size_t> ChooseMerge(std::span<const FileBlock> blocks) {
  if (blocks.size() < kRunBlocksMin) return {0, 0};
  const auto largest = std::max_element(
      blocks.begin(), blocks.end(), [](const FileBlock& left, const FileBlock& right) {
        return left.block.raw_bytes < right.block.raw_bytes;
      });
  if (largest->block.raw_bytes * kGrowthMin <= SumOf(blocks)) return {0, blocks.size()};
  // It is left as it is; perhaps those before it, or behind it, are worth it without.
  const auto index = static_cast<size_t>(largest - blocks.begin());
  std::pair<size_t, size_t> part = ChooseMerge(blocks.first(index));
  if (part.first != part.second) return part;
  part = ChooseMerge(blocks.subspan(index + 1));
  if (part.first == part.second) return {0, 0};
  return {part.first + index + 1, part.second + index + 1};
}

void MergeFinder::Queue(InodeId file, Growth& growth) {
  if (growth.is_queued) return;
  growth.is_queued = true;
  queue_.push_back(file);
}

void MergeFinder::Grew(InodeId file, uint64_t offset_bytes, size_t small_blocks) {
  if (growing_.size() >= kGrowingMax) {
    growing_.clear();
    queue_.clear();
  }
  const auto [it, is_new] = growing_.try_emplace(file, Growth{.from_bytes = offset_bytes});
  Growth& growth = it->second;
  // A file that was cut begins to grow anew.
  growth.from_bytes = std::min(growth.from_bytes, offset_bytes);
  growth.small_blocks += small_blocks;
  if (growth.small_blocks >= kRunBlocksMin) Queue(file, growth);
}

void MergeFinder::LookAgain(InodeId file, uint64_t offset_bytes) {
  Grew(file, offset_bytes, kRunBlocksMin);
}

void MergeFinder::Rest(InodeId file, const Now& now) {
  if (resting_until_.size() < kRestingMax) resting_until_[file] = now.steady + options_.rest;
}

bool MergeFinder::IsLeftAlone(InodeId file, const std::vector<InodeId>& busy) const {
  return resting_until_.contains(file) || std::find(busy.begin(), busy.end(), file) != busy.end();
}

void MergeFinder::BeginStep(const Now& now) {
  growing_budget_ = options_.blocks_per_step;
  pass_budget_ = options_.blocks_per_step;
  absl::erase_if(resting_until_, [&](const auto& entry) { return entry.second <= now.steady; });
}

Result<MergeFinder::Finding> MergeFinder::Search(std::string_view begin,
                                                 std::string_view end,
                                                 size_t& budget) const {
  RunSearch search(budget);
  bool is_at_end = true;
  RETURN_IF_ERROR(store_.Scan(
      Table::kFileBlocks, begin, end, [&](std::string_view key, std::string_view value) {
        is_at_end = search.Visit(key, value);
        return is_at_end;
      }));
  RETURN_IF_ERROR(search.status());
  const bool is_found = search.Choose();
  Finding finding{
      .run = std::nullopt, .resume_key = search.ResumeKey(), .is_at_end = is_at_end && !is_found};
  if (finding.resume_key.empty()) finding.resume_key = begin;
  finding.run = search.TakeRun();
  return finding;
}

Result<std::optional<MergeRun>> MergeFinder::NextOfGrowing(const std::vector<InodeId>& busy) {
  while (!queue_.empty() && growing_budget_ > 0) {
    const InodeId file = queue_.front();
    Growth& growth = growing_[file];
    std::optional<MergeRun> run;
    // One that is busy is looked at again when that is over; of one that rests, the pass sees.
    if (!IsLeftAlone(file, busy)) {
      ASSIGN_OR_RETURN(
          Finding finding,
          Search(
              FileBlockKey(file, growth.from_bytes), FileBlockKey(file + 1, 0), growing_budget_));
      run = std::move(finding.run);
      if (!run.has_value()) {
        growth.from_bytes = ReadBigEndian(finding.resume_key, sizeof(InodeId));
        if (!finding.is_at_end) break;  // goes on with the next step
      }
    }
    queue_.pop_front();
    growth.is_queued = false;
    growth.small_blocks = 0;
    if (run.has_value()) return run;
  }
  return std::optional<MergeRun>();
}

Result<std::optional<MergeRun>> MergeFinder::NextOfAll(const std::vector<InodeId>& busy,
                                                       const Now& now) {
  while (pass_budget_ > 0 && now.steady >= next_pass_at_) {
    ASSIGN_OR_RETURN(Finding finding, Search(cursor_, "", pass_budget_));
    cursor_ = std::move(finding.resume_key);
    if (finding.is_at_end) {
      cursor_.clear();
      next_pass_at_ = now.steady + options_.pass_interval;
    }
    if (finding.run.has_value() && !IsLeftAlone(finding.run->file, busy)) {
      return std::move(finding.run);
    }
  }
  return std::optional<MergeRun>();
}

Result<std::optional<MergeRun>> MergeFinder::Next(const std::vector<InodeId>& busy,
                                                  const Now& now) {
  ASSIGN_OR_RETURN(std::optional<MergeRun> run, NextOfGrowing(busy));
  if (run.has_value()) return run;
  return NextOfAll(busy, now);
}

}  // namespace slipstream::dfs::master
