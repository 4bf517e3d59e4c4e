#include "tests/unit/commit_model/stage_model.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/check/check.h"
#include "tests/unit/commit_model/model_state.h"

namespace slipstream::commit_model {
namespace {

constexpr size_t kSenders = 2;
constexpr size_t kReceiver = kSenders;  // the actor behind the senders
constexpr size_t kRecordsMax = 14;

// A record of the repartition topic: the rows of a transaction, or its mark.
struct Record {
  EntryStatus status = EntryStatus::kNone;
  uint8_t sender = 0;
  uint8_t rows = 0;  // one bit each
  uint8_t is_mark = 0;
  uint8_t watermark = 0;  // how many rows the sender had read
};

enum class SenderPhase : uint8_t { kReading, kBegun, kWritten, kCommitDecided, kAbortDecided };

struct Sender {
  SenderPhase phase = SenderPhase::kReading;
  uint8_t committed = 0;  // rows of its input, up to its committed offset
  uint8_t read = 0;
  uint8_t held = 0;  // rows that were read and not sent, one bit each
};

struct Receiver {
  uint8_t position = 0;
  uint8_t has_fired = 0;
  std::array<uint8_t, kSenders> seen{};  // rows, one bit each
  std::array<uint8_t, kSenders> is_heard{};
  std::array<uint8_t, kSenders> watermarks{};

  friend bool operator==(const Receiver&, const Receiver&) = default;
};

struct StageState {
  std::array<Record, kRecordsMax> log;
  uint8_t log_start = 0;
  uint8_t log_end = 0;
  std::array<Sender, kSenders> senders;
  Receiver running;
  Receiver committed;
  uint8_t sender_failures_left = 0;
  uint8_t receiver_crashes_left = 0;
};

class StageStep {
 public:
  StageStep(const StageRules& rules, const StageBounds& bounds, const StageState& state)
      : rules_(rules), bounds_(bounds), s(state) {}

  const StageState& state() const { return s; }
  const std::string& violation() const { return violation_; }

  // Each of these returns false when the step cannot be taken now; then the state is as it was.

  bool ReadRow(size_t who) {
    if (who == kReceiver) return false;
    Sender& sender = s.senders[who];
    if (sender.phase != SenderPhase::kReading || sender.read == bounds_.rows) return false;
    sender.held = static_cast<uint8_t>(sender.held | 1U << sender.read);
    ++sender.read;
    return true;
  }

  bool Begin(size_t who) {
    if (who == kReceiver) return false;
    Sender& sender = s.senders[who];
    if (sender.phase != SenderPhase::kReading || sender.read == sender.committed) return false;
    sender.phase = SenderPhase::kBegun;
    Write(who, !rules_.marks_behind_rows);
    return true;
  }

  bool WriteOn(size_t who) {
    if (who == kReceiver || s.senders[who].phase != SenderPhase::kBegun) return false;
    s.senders[who].phase = SenderPhase::kWritten;
    Write(who, rules_.marks_behind_rows);
    return true;
  }

  bool Decide(size_t who) {
    if (who == kReceiver || s.senders[who].phase != SenderPhase::kWritten) return false;
    s.senders[who].phase = SenderPhase::kCommitDecided;
    s.senders[who].committed = s.senders[who].read;
    return true;
  }

  bool WriteMarker(size_t who) {
    if (who == kReceiver) return false;
    SenderPhase& phase = s.senders[who].phase;
    if (phase != SenderPhase::kCommitDecided && phase != SenderPhase::kAbortDecided) return false;
    for (Record& record : s.log) {
      if (record.status != EntryStatus::kOpen || record.sender != who) continue;
      record.status =
          phase == SenderPhase::kCommitDecided ? EntryStatus::kCommitted : EntryStatus::kAborted;
    }
    phase = SenderPhase::kReading;
    return true;
  }

  // Its transaction is aborted, whether it died or the broker did that: another takes over.
  bool Fail(size_t who) { return who == kReceiver ? CrashReceiver() : CrashSender(s.senders[who]); }

  bool ReadRecord(size_t who) {
    Receiver& receiver = s.running;
    if (who != kReceiver || receiver.position == s.log_end) return false;
    if (rules_.reads_committed && !IsStable(receiver.position)) return false;
    const Record record = s.log[receiver.position++];
    if (rules_.reads_committed && record.status == EntryStatus::kAborted) return true;
    uint8_t& seen = receiver.seen[record.sender];
    if ((seen & record.rows) != 0) Violate("a row is counted twice");
    seen = static_cast<uint8_t>(seen | record.rows);
    if (record.is_mark == 0) return true;
    receiver.is_heard[record.sender] = 1;
    uint8_t& watermark = receiver.watermarks[record.sender];
    watermark = std::max(watermark, record.watermark);
    FireIfDue();
    return true;
  }

  bool Commit(size_t who) {
    if (who != kReceiver || s.running == s.committed) return false;
    Receiver committed = s.running;
    if (!rules_.offset_with_state) committed.position = s.committed.position;
    if (committed == s.committed) return false;
    s.committed = committed;
    return true;
  }

  bool CommitOffset(size_t who) {
    if (who != kReceiver || rules_.offset_with_state) return false;
    if (s.committed.position == s.running.position) return false;
    s.committed.position = s.running.position;
    return true;
  }

  bool DeleteRecords(size_t who) {
    const uint8_t below =
        rules_.deletes_below_committed ? s.committed.position : s.running.position;
    if (who != kReceiver || s.log_start >= below) return false;
    s.log_start = below;
    return true;
  }

  void CheckState() {}

  void CheckEnd() {
    if (s.committed.has_fired == 0) Violate("nothing more can happen, and the window never fired");
  }

 private:
  void Violate(std::string_view what) {
    if (violation_.empty()) violation_ = what;
  }

  void Write(size_t who, bool is_mark) {
    SLIPSTREAM_CHECK(s.log_end < kRecordsMax, "more records than the model holds");
    Sender& sender = s.senders[who];
    Record& record = s.log[s.log_end++];
    record = {.status = EntryStatus::kOpen, .sender = static_cast<uint8_t>(who)};
    if (is_mark) {
      record.is_mark = 1;
      record.watermark = sender.read;
    } else if (rules_.gives_what_it_holds || sender.read == bounds_.rows) {
      record.rows = sender.held;
      sender.held = 0;
    }
  }

  bool CrashSender(Sender& sender) {
    const bool has_more = sender.read != sender.committed || sender.held != 0;
    if (s.sender_failures_left == 0 || !has_more) return false;
    --s.sender_failures_left;
    const bool is_open =
        sender.phase == SenderPhase::kBegun || sender.phase == SenderPhase::kWritten;
    if (is_open) sender.phase = SenderPhase::kAbortDecided;
    sender.read = sender.committed;
    sender.held = 0;
    return true;
  }

  bool CrashReceiver() {
    if (s.receiver_crashes_left == 0 || s.running == s.committed) return false;
    --s.receiver_crashes_left;
    s.running = s.committed;
    if (s.running.position < s.log_start) {
      Violate("records were deleted that have to be read again");
    }
    return true;
  }

  // Whether the last stable offset lies behind the record.
  bool IsStable(size_t position) const {
    return std::none_of(s.log.begin(), s.log.begin() + position + 1, [](const Record& record) {
      return record.status == EntryStatus::kOpen;
    });
  }

  void FireIfDue() {
    Receiver& receiver = s.running;
    for (size_t sender = 0; sender < kSenders; ++sender) {
      if (receiver.is_heard[sender] == 0 && !rules_.waits_for_every_sender) continue;
      if (receiver.watermarks[sender] < bounds_.rows) return;
    }
    if (receiver.has_fired != 0) return;
    receiver.has_fired = 1;
    const auto all = static_cast<uint8_t>((1U << bounds_.rows) - 1);
    for (const uint8_t seen : receiver.seen) {
      if (seen != all) Violate("the window fired before all its rows were there");
    }
  }

  const StageRules& rules_;
  const StageBounds& bounds_;
  StageState s;  // the state the steps act on; short, for it stands in every line
  std::string violation_;
};

constexpr Action<StageStep> kStageActions[] = {
    {"reads a row", [](StageStep& step, size_t who) { return step.ReadRow(who); }},
    {"begins and writes", [](StageStep& step, size_t who) { return step.Begin(who); }},
    {"writes the rest", [](StageStep& step, size_t who) { return step.WriteOn(who); }},
    {"commits the transaction", [](StageStep& step, size_t who) { return step.Decide(who); }},
    {"'s marker is written", [](StageStep& step, size_t who) { return step.WriteMarker(who); }},
    {"fails", [](StageStep& step, size_t who) { return step.Fail(who); }},
    {"reads a record", [](StageStep& step, size_t who) { return step.ReadRecord(who); }},
    {"commits", [](StageStep& step, size_t who) { return step.Commit(who); }},
    {"commits its offset", [](StageStep& step, size_t who) { return step.CommitOffset(who); }},
    {"deletes records", [](StageStep& step, size_t who) { return step.DeleteRecords(who); }},
};

}  // namespace

Outcome ExploreStages(const StageRules& rules, const StageBounds& bounds) {
  StageState initial;
  initial.sender_failures_left = bounds.sender_failures;
  initial.receiver_crashes_left = bounds.receiver_crashes;
  return Search<StageState, StageStep>().Run(
      initial, kStageActions, "task", kSenders + 1, [&](const StageState& state) {
        return StageStep(rules, bounds, state);
      });
}

}  // namespace slipstream::commit_model
