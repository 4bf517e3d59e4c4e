#include "tests/unit/commit_model/commit_model.h"

#include <string_view>

#include "common/check/check.h"
#include "tests/unit/commit_model/model_state.h"

namespace slipstream::commit_model {
namespace {

// One state, its steps, and what they break.
class Step {
 public:
  Step(const Rules& rules, const Bounds& bounds, const State& state)
      : rules_(rules), bounds_(bounds), s(state) {}

  const State& state() const { return s; }
  const std::string& violation() const { return violation_; }

  // Each of these returns false when the step cannot be taken now; then the state is as it was.

  bool Start(size_t w) {
    Transaction& transaction = s.kafka.transactions[w];
    if (s.workers[w].phase != Phase::kDead) return false;
    if (transaction.status == TransactionStatus::kOngoing) {
      DecideAbort(w);  // init_transactions aborts what the predecessor left, then waits
      return true;
    }
    if (transaction.status != TransactionStatus::kNone) return false;
    s.workers[w] = Worker{.phase = Phase::kJoining};
    return true;
  }

  bool Join(size_t w) {
    if (s.workers[w].phase != Phase::kJoining) return false;
    Kafka& kafka = s.kafka;
    bool takes_it_from_a_live_owner =
        kafka.has_owner != 0 && s.workers[kafka.owner].phase > Phase::kJoining;
    if (takes_it_from_a_live_owner) {
      if (s.steals_left == 0) return false;
      --s.steals_left;
    }
    ++kafka.generation;
    kafka.has_owner = 1;
    kafka.owner = static_cast<uint8_t>(w);
    s.workers[w].generation = kafka.generation;
    s.workers[w].phase = Phase::kAssigned;
    return true;
  }

  bool ReadOffsets(size_t w) {
    if (s.workers[w].phase != Phase::kAssigned) return false;
    if (rules_.waits_for_stable_offsets && OffsetsAreUnstable()) return false;
    s.workers[w].position = s.kafka.committed_position;
    s.workers[w].last = s.kafka.committed_pair;
    s.workers[w].phase = Phase::kOffsetsRead;
    return true;
  }

  bool Restore(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kOffsetsRead) return false;
    if (worker.last.epoch != 0) {
      const LogEntry* mark = VisibleMark(worker.last);
      if (mark == nullptr && rules_.restores_to_the_mark) return false;  // not visible yet: wait
      worker.state = mark != nullptr ? mark->state : TaskState{};
      worker.last = mark != nullptr ? mark->pair : Pair{};
    }
    worker.phase = Phase::kRestored;
    return true;
  }

  bool Acquire(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kRestored) return false;
    worker.incarnation = ++s.master.newest_incarnation;
    if (!rules_.acquire_discards_nothing) s.master.candidates = {};
    worker.phase = Phase::kAcquired;
    return true;
  }

  bool CommitMark(size_t w) {
    if (s.workers[w].phase != Phase::kAcquired) return false;
    MasterCommit(s.workers[w].last);
    s.workers[w].phase = Phase::kRunning;
    return true;
  }

  bool Process(size_t w, uint8_t records) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kRunning || worker.position + records > bounds_.records)
      return false;
    worker.content = {.from = worker.position,
                      .to = static_cast<uint8_t>(worker.position + records)};
    worker.phase = Phase::kProcessed;
    return true;
  }

  // The window fires by the time of other tasks: output without a record.
  bool Fire(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kRunning || worker.state.fired != 0 || worker.state.count == 0) {
      return false;
    }
    worker.content = {.from = worker.position, .to = worker.position, .fires = 1};
    worker.phase = Phase::kProcessed;
    return true;
  }

  bool Prepare(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kProcessed) return false;
    if (worker.incarnation != s.master.newest_incarnation) return GiveUp(w);
    MasterCommit(worker.last);
    if (s.master.file_length != worker.position) return GiveUp(w);  // not the expected length
    for (Candidate& candidate : s.master.candidates) {
      if (candidate.pair.epoch != 0) continue;
      candidate = {.pair = {.epoch = NextEpoch(worker), .incarnation = worker.incarnation},
                   .content = worker.content};
      worker.phase = Phase::kPrepared;
      return true;
    }
    SLIPSTREAM_CHECK(false, "more candidates than the model holds");
    return false;
  }

  bool Produce(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kPrepared) return false;
    Transaction& transaction = s.kafka.transactions[w];
    if (worker.producer_is_fenced != 0) return GiveUp(w);
    if (transaction.status != TransactionStatus::kNone) return false;  // CONCURRENT_TRANSACTIONS
    transaction.status = TransactionStatus::kOngoing;
    for (LogEntry& entry : s.kafka.log) {
      if (entry.status != EntryStatus::kNone) continue;
      entry = {.slot = static_cast<uint8_t>(w),
               .status = EntryStatus::kOpen,
               .pair = {.epoch = NextEpoch(worker), .incarnation = worker.incarnation},
               .content = worker.content,
               .state = StateAfter(worker)};
      worker.phase = Phase::kProduced;
      return true;
    }
    SLIPSTREAM_CHECK(false, "more transactions than the model holds");
    return false;
  }

  bool SendOffsets(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kProduced) return false;
    if (worker.producer_is_fenced != 0) return GiveUp(w);
    bool moved = worker.content.to != worker.content.from;
    if (moved || rules_.offsets_in_every_transaction) {
      if (rules_.metadata_from_assignment && worker.generation != s.kafka.generation) {
        return GiveUp(w);  // ILLEGAL_GENERATION
      }
      Transaction& transaction = s.kafka.transactions[w];
      transaction.has_offsets = 1;
      transaction.offset_position = worker.content.to;
      transaction.offset_pair = {.epoch = NextEpoch(worker), .incarnation = worker.incarnation};
    }
    worker.phase = Phase::kOffsetsSent;
    return true;
  }

  bool EndTransaction(size_t w) {
    Worker& worker = s.workers[w];
    if (worker.phase != Phase::kOffsetsSent) return false;
    if (worker.producer_is_fenced != 0) return GiveUp(w);
    Transaction& transaction = s.kafka.transactions[w];
    transaction.status = TransactionStatus::kCommitDecided;
    transaction.log_marker_pending = 1;
    worker.last = {.epoch = NextEpoch(worker), .incarnation = worker.incarnation};
    worker.state = StateAfter(worker);
    worker.position = worker.content.to;
    worker.content = {};
    worker.phase = Phase::kRunning;
    return true;
  }

  // Done at once when idle; otherwise the next Prepare carries it.
  bool TellMaster(size_t w) {
    const Worker& worker = s.workers[w];
    if (worker.phase != Phase::kRunning || worker.last == s.master.committed) return false;
    if (worker.last.epoch <= s.master.committed.epoch) return false;  // a no-op
    MasterCommit(worker.last);
    return true;
  }

  bool Crash(size_t w) {
    if (s.workers[w].phase == Phase::kDead || s.crashes_left == 0) return false;
    --s.crashes_left;
    return GiveUp(w);
  }

  // The worker learns that it lost its partition and drops all it had.
  bool Notice(size_t w) {
    const Worker& worker = s.workers[w];
    if (worker.phase <= Phase::kJoining || worker.generation == s.kafka.generation) return false;
    return GiveUp(w);
  }

  bool TimeOut(size_t w) {
    if (s.kafka.transactions[w].status != TransactionStatus::kOngoing || s.timeouts_left == 0) {
      return false;
    }
    --s.timeouts_left;
    DecideAbort(w);
    return true;
  }

  bool WriteOffsetMarker(size_t w) {
    Transaction& transaction = s.kafka.transactions[w];
    if (!IsDecided(transaction) || transaction.has_offsets == 0) return false;
    if (transaction.status == TransactionStatus::kCommitDecided) {
      s.kafka.committed_position = transaction.offset_position;
      s.kafka.committed_pair = transaction.offset_pair;
    }
    transaction.has_offsets = 0;
    Complete(transaction);
    return true;
  }

  bool WriteLogMarker(size_t w) {
    Transaction& transaction = s.kafka.transactions[w];
    if (!IsDecided(transaction) || transaction.log_marker_pending == 0) return false;
    for (LogEntry& entry : s.kafka.log) {
      if (entry.status != EntryStatus::kOpen || entry.slot != w) continue;
      entry.status = transaction.status == TransactionStatus::kCommitDecided
                         ? EntryStatus::kCommitted
                         : EntryStatus::kAborted;
    }
    // Nobody ever sees an aborted entry; without it equal states are equal bytes.
    auto aborted = [](const LogEntry& entry) { return entry.status == EntryStatus::kAborted; };
    auto end = std::remove_if(s.kafka.log.begin(), s.kafka.log.end(), aborted);
    std::fill(end, s.kafka.log.end(), LogEntry{});
    transaction.log_marker_pending = 0;
    Complete(transaction);
    return true;
  }

  // Checks what must hold in every state.
  void CheckState() {
    uint8_t position = 0;
    uint8_t fired = 0;
    for (const LogEntry& entry : s.kafka.log) {
      if (entry.status != EntryStatus::kCommitted) continue;
      if (entry.content.from != position) {
        Violate("a record is in the output topic twice or not at all");
      }
      position = entry.content.to;
      fired = static_cast<uint8_t>(fired + entry.content.fires);
      if (fired > 1) Violate("the window fired twice");
      if (entry.state.count != position || entry.state.fired != fired) {
        Violate("a mark's state is not the state at its position");
      }
    }
  }

  // Checks what must hold where nothing more can happen.
  void CheckEnd() {
    if (s.master.file_length != bounds_.records || s.master.file_fired != 1) {
      Violate("nothing more can happen, and the file is not complete");
    }
  }

 private:
  void Violate(std::string_view what) {
    if (violation_.empty()) violation_ = what;
  }

  static uint8_t NextEpoch(const Worker& worker) {
    return static_cast<uint8_t>(worker.last.epoch + 1);
  }

  static TaskState StateAfter(const Worker& worker) {
    auto read = worker.content.to - worker.content.from;
    return {.count = static_cast<uint8_t>(worker.state.count + read),
            .fired = static_cast<uint8_t>(worker.state.fired | worker.content.fires)};
  }

  // An abort is a crash without a new process: whatever it had is thrown away.
  bool GiveUp(size_t w) {
    s.workers[w] = Worker{};
    return true;
  }

  void DecideAbort(size_t w) {
    s.kafka.transactions[w].status = TransactionStatus::kAbortDecided;
    s.kafka.transactions[w].log_marker_pending = 1;
    s.workers[w].producer_is_fenced = s.workers[w].phase == Phase::kDead ? 0 : 1;
  }

  static bool IsDecided(const Transaction& transaction) {
    return transaction.status == TransactionStatus::kCommitDecided ||
           transaction.status == TransactionStatus::kAbortDecided;
  }

  static void Complete(Transaction& transaction) {
    if (transaction.has_offsets == 0 && transaction.log_marker_pending == 0) transaction = {};
  }

  bool OffsetsAreUnstable() const {
    return std::any_of(s.kafka.transactions.begin(),
                       s.kafka.transactions.end(),
                       [](const Transaction& t) { return t.has_offsets != 0; });
  }

  // The mark `pair`, if it is committed and before the last stable offset; without the rule, the
  // last one that is.
  const LogEntry* VisibleMark(Pair pair) const {
    const LogEntry* last = nullptr;
    for (const LogEntry& entry : s.kafka.log) {
      if (entry.status == EntryStatus::kNone || entry.status == EntryStatus::kOpen) break;
      if (entry.status != EntryStatus::kCommitted) continue;
      if (rules_.restores_to_the_mark && entry.pair == pair) return &entry;
      last = &entry;
    }
    return rules_.restores_to_the_mark ? nullptr : last;
  }

  void MasterCommit(Pair pair) {
    Master& master = s.master;
    if (pair.epoch <= master.committed.epoch) return;
    const Candidate* chosen = nullptr;
    for (const Candidate& candidate : master.candidates) {
      bool matches = rules_.commit_names_the_incarnation ? candidate.pair == pair
                                                         : candidate.pair.epoch == pair.epoch;
      if (matches) chosen = &candidate;
    }
    if (chosen == nullptr) {
      Violate("Kafka recorded an append that the master does not have");
      return;
    }
    if (chosen->content.from != master.file_length) {
      Violate("a record is in the file twice or not at all");
    }
    if (chosen->pair != pair) Violate("the file got what another attempt wrote");
    if (master.file_fired + chosen->content.fires > 1) Violate("the file has the window twice");
    master.file_length = chosen->content.to;
    master.file_fired = static_cast<uint8_t>(master.file_fired | chosen->content.fires);
    master.committed = pair;
    for (Candidate& candidate : master.candidates) {
      if (candidate.pair.epoch <= pair.epoch) candidate = {};
    }
    std::stable_partition(master.candidates.begin(),
                          master.candidates.end(),
                          [](const Candidate& candidate) { return candidate.pair.epoch != 0; });
  }

  const Rules& rules_;
  const Bounds& bounds_;
  State s;  // the state the steps act on; short, for it stands in every line
  std::string violation_;
};

constexpr Action<Step> kActions[] = {
    {"starts", [](Step& step, size_t w) { return step.Start(w); }},
    {"joins the group", [](Step& step, size_t w) { return step.Join(w); }},
    {"reads the committed offset", [](Step& step, size_t w) { return step.ReadOffsets(w); }},
    {"restores from the changelog", [](Step& step, size_t w) { return step.Restore(w); }},
    {"acquires the appender", [](Step& step, size_t w) { return step.Acquire(w); }},
    {"commits the mark at the master", [](Step& step, size_t w) { return step.CommitMark(w); }},
    {"processes one record", [](Step& step, size_t w) { return step.Process(w, 1); }},
    {"processes two records", [](Step& step, size_t w) { return step.Process(w, 2); }},
    {"fires the window", [](Step& step, size_t w) { return step.Fire(w); }},
    {"prepares", [](Step& step, size_t w) { return step.Prepare(w); }},
    {"begins and produces", [](Step& step, size_t w) { return step.Produce(w); }},
    {"sends offsets", [](Step& step, size_t w) { return step.SendOffsets(w); }},
    {"commits the transaction", [](Step& step, size_t w) { return step.EndTransaction(w); }},
    {"tells the master", [](Step& step, size_t w) { return step.TellMaster(w); }},
    {"crashes", [](Step& step, size_t w) { return step.Crash(w); }},
    {"notices that it lost the partition", [](Step& step, size_t w) { return step.Notice(w); }},
    {"'s transaction times out", [](Step& step, size_t w) { return step.TimeOut(w); }},
    {"'s offset marker is written", [](Step& step, size_t w) { return step.WriteOffsetMarker(w); }},
    {"'s changelog marker is written", [](Step& step, size_t w) { return step.WriteLogMarker(w); }},
};

}  // namespace

Outcome Explore(const Rules& rules, const Bounds& bounds) {
  State initial;
  initial.crashes_left = bounds.crashes;
  initial.steals_left = bounds.steals;
  initial.timeouts_left = bounds.timeouts;

  return Search<State, Step>().Run(initial, kActions, "worker", kWorkers, [&](const State& state) {
    return Step(rules, bounds, state);
  });
}

}  // namespace slipstream::commit_model
