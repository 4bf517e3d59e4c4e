#include <algorithm>

#include "processor/runtime/worker_impl.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kUnguardedFlushTimeout{10'000};
// Once stopped: how long the last commit, and what it waits for, may take.
constexpr milliseconds kDrainPatience{5'000};

}  // namespace

Status Worker::Impl::CommitDirty(milliseconds patience) {
  if (!assignment.group()) return {};
  const std::vector<Task*> dirty = assignment.Dirty();
  const CommitOutcome outcome = CommitEpoch(patience);
  // From the end of the round: one that took longer than the interval must not be followed by the
  // next after a single batch.
  last_commit_at = clock.Now();
  if (!outcome.ok()) return OnOutcome(outcome);
  RETURN_IF_ERROR(SettleQuiet(dirty));
  return WriteSuccessFiles();
}

// Of folders whose rows are visible by now. What cannot be written now is with the next commit.
Status Worker::Impl::WriteSuccessFiles() {
  for (const auto& task : assignment.tasks()) {
    Status status = task->WriteDueSuccessFiles();
    switch (status.code()) {
      case Code::kOk:
        break;
      case Code::kUnavailable:
      case Code::kDeadlineExceeded:
      case Code::kAborted:
        SayWaiting(status.message());
        break;
      default:
        return status.WithContext("success file");
    }
  }
  return {};
}

CommitOutcome Worker::Impl::CommitEpoch(milliseconds patience) {
  const std::vector<Task*> dirty = assignment.Dirty();
  if (dirty.empty()) return {};
  CommitRound round({.context = context,
                     .transactions = transactions,
                     .group = *assignment.group(),
                     .clock = clock,
                     .flush_unguarded = [this] { return unguarded.Flush(kUnguardedFlushTimeout); },
                     .is_time_shared = shared_time.is_needed(),
                     .store_patience = patience,
                     .stop = stop,
                     .on_waiting = [this](const Status& why) { SayWaiting(why.message()); }});
  const SteadyTime begin = clock.Now();
  CommitOutcome outcome = round.Run(dirty);
  const SteadyTime::duration elapsed = clock.Now() - begin;
  commit_time += elapsed;
  for (Task* task : dirty)
    task->AddHeldBackTime(elapsed);
  if (!outcome.ok()) {
    ++commits_failed;
    return outcome;
  }
  ++commits;
  failures.OnCommitted();
  waiting_for.clear();
  return outcome;
}

// Those that go on writing tell the master with their next Prepare. The others now; and those that
// commit without writing, or their rows would wait for the next file, maybe a window's length.
Status Worker::Impl::SettleQuiet(const std::vector<Task*>& committed) {
  std::vector<Task*> quiet;
  for (const auto& task : assignment.tasks()) {
    const bool is_ending = task->is_ended() && !task->is_dirty();
    const bool was_quiet =
        std::find(committed.begin(), committed.end(), task.get()) == committed.end();
    if (!task->is_settled() && (is_ending || was_quiet || task->is_behind()))
      quiet.push_back(task.get());
  }
  if (quiet.empty()) return {};
  Status status = Settle(*context.store, quiet);
  if (status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded) {
    SayWaiting(status.message());
    return {};
  }
  return status;
}

// Before the partitions are given away. What Kafka has recorded shows even if the epoch that is
// open can no longer be committed.
Status Worker::Impl::CommitLast() {
  if (!assignment.group() || !transactions.is_ready() || assignment.tasks().empty()) return {};
  const bool has_files = context.store != nullptr;
  if (has_files) RETURN_IF_ERROR(Settle(*context.store, assignment.All()).WithContext("settle"));
  if (const CommitOutcome outcome = CommitEpoch(kDrainPatience); !outcome.ok()) {
    return outcome.why.WithContext("last commit");
  }
  return has_files ? Settle(*context.store, assignment.All()).WithContext("settle") : Status();
}

Status Worker::Impl::OnOutcome(const CommitOutcome& outcome) {
  log->warn("commit_failed worker={} reason={}", slot, log::Quoted(outcome.why.ToString()));
  if (stop.stop_requested()) {
    // No takeover of ours will finish what Kafka has recorded before.
    undrained = outcome.why;
    if (context.store != nullptr) (void)Settle(*context.store, assignment.All());
  }
  switch (outcome.kind) {
    case CommitOutcome::Kind::kCommitted:
      return {};
    case CommitOutcome::Kind::kFailed:
      return outcome.why;
    case CommitOutcome::Kind::kTakeOver:
      RETURN_IF_ERROR(failures.OnEpochFailed(outcome.why));
      BeginTakeover();
      return {};
    case CommitOutcome::Kind::kNewProducer:
      assignment.Drop();
      transactions.Discard();
      RETURN_IF_ERROR(failures.OnEpochFailed(outcome.why));
      return failures.OnClientBroken(outcome.why);
    case CommitOutcome::Kind::kTooLong:
      assignment.Drop();
      transactions.Discard();
      return failures.OnEpochFailed(outcome.why);
  }
  return {};
}

// An error while reading or computing: nothing of the running epoch has left this process.
Status Worker::Impl::OnTaskError(Status status) {
  switch (status.code()) {
    case Code::kOutOfRange:
      // The takeover says what was lost, and stops the job unless that is allowed.
      RETURN_IF_ERROR(failures.OnEpochFailed(status));
      [[fallthrough]];
    case Code::kAborted:
    case Code::kUnavailable:
      log->warn("tasks_dropped worker={} reason={}", slot, log::Quoted(status.ToString()));
      BeginTakeover();
      event.Wait(kHousekeepingPeriod);
      return {};
    case Code::kCancelled:  // stopped while a sink's queue was full: half a batch is no epoch
      if (!stop.stop_requested()) return status;
      undrained = std::move(status);
      if (context.store != nullptr) (void)Settle(*context.store, assignment.All());
      assignment.Drop();
      return {};
    default:
      return status;
  }
}

void Worker::Impl::BeginTakeover() {
  assignment.BeginTakeover({.shared = shared,
                            .consumer = *consumer,
                            .changelog = *changelog,
                            .admin = *admin,
                            .admin_uncommitted = *admin_uncommitted,
                            .standbys = standbys});
  if (assignment.is_taking_over() && revoke_error.ok()) revoke_error = unguarded.RenewFailed();
}

// ---- The group ----

void Worker::Impl::OnAssigned(const std::vector<kafka::TopicPartition>& partitions,
                              const kafka::GroupMetadata& metadata) {
  assignment.Accept(partitions, metadata);
  // Reading starts with the takeover, from positions it has looked up.
  if (auto queues = consumer->Assign({}); !queues.ok()) {
    log->warn("assign_failed worker={} reason={}", slot, log::Quoted(queues.status().ToString()));
  }
  if (transactions.is_ready()) BeginTakeover();
}

void Worker::Impl::OnRevoked(const std::vector<kafka::TopicPartition>& /*partitions*/,
                             bool is_lost) {
  // An ordinary rebalance aborts nothing: the open epoch is finished first.
  if (!is_lost && !assignment.is_taking_over() && transactions.is_ready()) {
    Status status = CommitDirty(kDrainPatience);
    if (!status.ok() && revoke_error.ok()) revoke_error = status;
    if (status.ok() && context.store != nullptr) {
      Status settled = Settle(*context.store, assignment.All());
      if (!settled.ok()) SayWaiting(settled.message());
    }
  }
  assignment.Release();
}

}  // namespace slipstream::runtime
