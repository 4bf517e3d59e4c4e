#include "dfs-datanode/scrubber.h"

#include <algorithm>

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
      next_scrub_(clock.Now()) {}

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

milliseconds Scrubber::WaitFrom(SteadyTime now) const {
  SteadyTime next = next_scrub_;
  if (!retries_.empty()) next = std::min(next, retries_.front().first);
  return std::chrono::ceil<milliseconds>(next - now);
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
  if (now < next_scrub_) return WaitFrom(now);
  const std::optional<block::Identity> next = store_.NextAfter(cursor_);
  if (!next.has_value()) {
    cursor_ = 0;
    next_scrub_ = std::max(now + kIdlePeriod, pass_began_ + options_.pass_interval);
    pass_began_ = next_scrub_;
    return WaitFrom(now);
  }
  Verify(next->block_id);
  cursor_ = next->block_id;
  if (clock_.Now() - cursor_saved_ >= kCursorSavePeriod) SaveCursor();
  next_scrub_ = now + milliseconds(next->stored_bytes * 1000 / options_.bytes_per_second);
  return WaitFrom(now);
}

}  // namespace slipstream::datanode
