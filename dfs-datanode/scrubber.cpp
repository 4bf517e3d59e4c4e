#include "dfs-datanode/scrubber.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;

constexpr char kCursorName[] = "scrub_cursor";
constexpr milliseconds kCursorSavePeriod{60'000};
constexpr milliseconds kIdlePeriod{60'000};

}  // namespace

Scrubber::Scrubber(const Options& options, ReplicaStore& store, DiskSet& disks, const Clock& clock)
    : options_(options),
      store_(store),
      disks_(disks),
      clock_(clock),
      cursor_(disks.LoadNumber(kCursorName)),
      pass_began_(clock.Now()),
      cursor_saved_(clock.Now()),
      next_pass_(clock.Now()),
      next_read_(clock.Now()) {}

void Scrubber::Suspect(block::BlockId block_id) {
  {
    MutexLock lock(mutex_);
    if (suspects_.size() == kSuspectsMax ||
        std::find(suspects_.begin(), suspects_.end(), block_id) != suspects_.end()) {
      return;
    }
    suspects_.push_back(block_id);
  }
  if (listener_) listener_();
}

void Scrubber::Added(block::BlockId block_id) {
  bool is_first = false;
  {
    MutexLock lock(mutex_);
    if (new_.size() == kNewMax) {
      has_missed_new_ = true;
      return;
    }
    is_first = new_.empty();
    new_.emplace_back(clock_.Now() + options_.first_read_delay, block_id);
  }
  if (is_first && listener_) listener_();
}

std::optional<block::BlockId> Scrubber::TakeSuspect() {
  MutexLock lock(mutex_);
  if (suspects_.empty()) return std::nullopt;
  const block::BlockId block_id = suspects_.front();
  suspects_.pop_front();
  return block_id;
}

void Scrubber::SaveCursor() {
  cursor_saved_ = clock_.Now();
  if (Status status = disks_.SaveNumber(kCursorName, cursor_); !status.ok()) {
    log::Get("datanode.scrubber")->warn("cursor_not_saved error={}", log::Quoted(status.message()));
  }
}

// Found bad or not, the store has seen to it; but what it could not read has to be read again.
void Scrubber::Verify(block::BlockId block_id) {
  if (store_.Verify(block_id).code() != Code::kUnavailable) return;
  const bool is_waiting = std::any_of(retries_.begin(), retries_.end(), [&](const auto& retry) {
    return retry.second == block_id;
  });
  // What finds no place here is found again by the next pass.
  if (is_waiting || retries_.size() == kSuspectsMax) return;
  retries_.emplace_back(clock_.Now() + options_.retry_interval, block_id);
}

std::optional<block::Identity> Scrubber::TakeNew(SteadyTime now) {
  MutexLock lock(mutex_);
  while (!new_.empty() && new_.front().first <= now) {
    const block::BlockId block_id = new_.front().second;
    new_.pop_front();
    const std::optional<block::Identity> found = store_.NextAfter(block_id - 1);
    // Else it is gone already.
    if (found.has_value() && found->block_id == block_id) return found;
  }
  return std::nullopt;
}

std::optional<block::Identity> Scrubber::TakeOfPass(SteadyTime now) {
  if (now < next_pass_) {
    MutexLock lock(mutex_);
    if (!std::exchange(has_missed_new_, false)) return std::nullopt;
    next_pass_ = now;
    pass_began_ = now;
  }
  const std::optional<block::Identity> next = store_.NextAfter(cursor_);
  if (next.has_value()) {
    cursor_ = next->block_id;
    return next;
  }
  cursor_ = 0;
  next_pass_ = std::max(now + kIdlePeriod, pass_began_ + options_.pass_interval);
  pass_began_ = next_pass_;
  return std::nullopt;
}

milliseconds Scrubber::WaitFrom(SteadyTime now) {
  SteadyTime next = next_pass_;
  {
    MutexLock lock(mutex_);
    if (!new_.empty()) next = std::min(next, new_.front().first);
    if (has_missed_new_) next = now;
  }
  next = std::max(next, next_read_);
  if (!retries_.empty()) next = std::min(next, retries_.front().first);
  return std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds(0));
}

milliseconds Scrubber::Step() {
  if (std::optional<block::BlockId> suspect = TakeSuspect(); suspect.has_value()) {
    Verify(*suspect);
    return milliseconds(0);
  }
  const SteadyTime now = clock_.Now();
  if (!retries_.empty() && retries_.front().first <= now) {
    const block::BlockId block_id = retries_.front().second;
    retries_.pop_front();
    Verify(block_id);
    return milliseconds(0);
  }
  if (now < next_read_) return WaitFrom(now);
  std::optional<block::Identity> next = was_new_ ? TakeOfPass(now) : TakeNew(now);
  const bool is_turn = next.has_value();
  if (!is_turn) next = was_new_ ? TakeNew(now) : TakeOfPass(now);
  if (!next.has_value()) return WaitFrom(now);
  was_new_ = was_new_ != is_turn;
  Verify(next->block_id);
  if (clock_.Now() - cursor_saved_ >= kCursorSavePeriod) SaveCursor();
  next_read_ = now + milliseconds(next->stored_bytes * 1000 / options_.bytes_per_second);
  return WaitFrom(now);
}

}  // namespace slipstream::datanode
