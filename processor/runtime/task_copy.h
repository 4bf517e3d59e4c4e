#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/clock/clock.h"
#include "common/kafka/message_batch.h"
#include "common/kafka/types.h"
#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/runtime/staged_state.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// TaskCopy: a task as its changelog tells it, as far as that has been read: for whoever takes the
// task over, and for who follows it in case that it has to.
//
// A commit's records come one after the other, its mark last: between two marks the copy is no
// state that the task ever was in.
// Threads   none of its own.
class TaskCopy final {
 public:
  // `input`: the task's, of the job; others share its changelog partition. null scratch: in memory.
  TaskCopy(uint8_t input, ScratchStore* scratch, WallTime now)
      : input_(input), state_(scratch), heard_at_(now) {}

  // Takes the changelog's next committed record. Passes over what it knows already, and what is
  // another task's. kDataLoss: that is none of a changelog.
  Status Take(const kafka::Record& record);
  // The changelog goes on at this offset.
  void SkipTo(int64_t offset);
  // Where to read on; kOffsetBeginning: from the start.
  int64_t next_offset() const { return next_offset_; }
  // The changelog's records, or its end, were seen.
  void Hear(WallTime now) { heard_at_ = now; }
  WallTime heard_at() const { return heard_at_; }

  // Whether it is the task as it was when it committed this.
  bool IsAt(const MarkPair& pair) const { return mark_ && mark_->pair == pair && !has_begun_next_; }
  // The last that was read.
  const std::optional<Mark>& mark() const { return mark_; }
  const std::optional<JobRecord>& job() const { return job_; }
  // Of the senders, behind a repartition topic.
  std::unordered_map<std::string, std::string>& times() { return times_; }
  StagedState& state() { return state_; }

 private:
  const uint8_t input_;
  int64_t next_offset_ = kafka::kOffsetBeginning;
  StagedState state_;
  WallTime heard_at_;
  std::unordered_map<std::string, std::string> times_;
  std::optional<JobRecord> job_;
  std::optional<Mark> mark_;
  bool has_begun_next_ = false;  // records of a commit whose mark is still to come
};

}  // namespace slipstream::runtime
