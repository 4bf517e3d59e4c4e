#include "processor/runtime/worker.h"

#include <utility>

#include "processor/runtime/job_end.h"
#include "processor/runtime/worker_impl.h"
#include "processor/runtime/worker_status.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

// Results of an epoch that wait for its commit: more than this, and it comes early.
constexpr uint64_t kStagedBytesMax = uint64_t{12} << 20;
constexpr milliseconds kWaitMax{50};
// What takes longer than this is worth a line; and how often.
constexpr milliseconds kWaitingPatience{2'000};
constexpr milliseconds kWaitingLogPeriod{5'000};
constexpr milliseconds kFinishCheckPeriod{300};
// How long a commit waits for the file system; see CommitRound.
constexpr milliseconds kStorePatience{90'000};
constexpr std::chrono::minutes kDeletePeriod{1};

}  // namespace

// ---- The loop ----

Status Worker::Impl::Loop() {
  // Before joining: no partition may be owned by somebody whose past is not closed yet.
  while (!transactions.is_ready() && !stop.stop_requested()) {
    Publish("joining");
    RETURN_IF_ERROR(OpenTransactions());
  }
  if (stop.stop_requested()) return {};
  RETURN_IF_ERROR(consumer->Subscribe(context.topics()));
  last_commit_at = clock.Now();
  bool is_done = false;
  while (!is_done && !stop.stop_requested()) {
    RETURN_IF_ERROR(Turn());
    if (assignment.has_joined() && !assignment.is_taking_over() &&
        clock.Now() >= next_finish_check_at) {
      next_finish_check_at = clock.Now() + kFinishCheckPeriod;
      is_done = IsJobDone();
    }
  }
  return Finish(is_done);
}

// One round over everything that may have something to do.
Status Worker::Impl::Turn() {
  Status polled = consumer->Poll(milliseconds(0));
  if (polled.code() == Code::kAborted) return ReplaceConsumer(polled);
  RETURN_IF_ERROR(polled);
  RETURN_IF_ERROR(std::exchange(revoke_error, Status()));
  if (!transactions.is_ready()) {
    RETURN_IF_ERROR(OpenTransactions());
    if (!transactions.is_ready()) return {};
    BeginTakeover();
  }
  bool has_read = false;
  if (assignment.is_taking_over()) {
    RETURN_IF_ERROR(StepTakeover());
    has_read = true;  // it waits by itself
  } else {
    const SteadyTime begin = clock.Now();
    Result<bool> read = ReadAll();
    if (!read.ok()) return OnTaskError(read.status());
    has_read = *read;
    if (has_read) busy_time += clock.Now() - begin;
  }
  has_read = standbys.Read() || has_read;
  if (clock.Now() >= next_housekeeping_at) {
    next_housekeeping_at = clock.Now() + kHousekeepingPeriod;
    RETURN_IF_ERROR(Housekeep());
  }
  if (IsCommitDue()) {
    RETURN_IF_ERROR(CommitDirty(kStorePatience));
  } else if (!has_read) {
    event.Wait(kWaitMax);
  }
  return {};
}

Status Worker::Impl::StepTakeover() {
  Result<bool> is_ready = assignment.Step();
  const std::string awaited = assignment.waiting_for();
  if (is_ready.ok() && !*is_ready) {
    if (!awaited.empty()) SayWaiting(awaited);
    return {};
  }
  if (is_ready.ok()) {
    waiting_for.clear();
    was_store_seen = true;
    last_commit_at = clock.Now();
    // New tasks commit at once: that pins where they start.
    if (!assignment.Dirty().empty()) last_commit_at -= context.options.commit_interval;
    Publish("running");
    return {};
  }
  const Status& status = is_ready.error();
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      SayWaiting(awaited.empty() ? status.message() : awaited);
      if (!was_store_seen && clock.Now() >= store_deadline) return status;
      event.Wait(kHousekeepingPeriod);
      return {};
    case Code::kAborted:
      log->warn("takeover_restarted worker={} reason={}", slot, log::Quoted(status.message()));
      event.Wait(kHousekeepingPeriod);
      BeginTakeover();
      return {};
    default:
      return status;
  }
}

Result<bool> Worker::Impl::ReadAll() {
  for (const auto& task : assignment.tasks())
    RETURN_IF_ERROR(task->Tick());
  bool has_read = false;
  for (size_t i = 0; i < assignment.tasks().size(); ++i) {
    ASSIGN_OR_RETURN(size_t count, assignment.ReadNext());
    has_read = has_read || count > 0;
    // An early commit is due, and more would only be held back.
    if (IsCommitDue()) return true;
  }
  return has_read;
}

Status Worker::Impl::Housekeep() {
  for (const auto& task : assignment.tasks()) {
    if (task->may_be_idle()) ConfirmIdle(*task);
  }
  WatchInputs();
  RETURN_IF_ERROR(shared_time.Poll());
  for (const auto& task : assignment.tasks()) {
    for (const size_t sink : shared_time.timed_sinks())
      task->SetVisibleTime(sink, shared_time.VisibleTime(sink));
  }
  if (Status status = AdvanceIdle(); !status.ok()) return OnTaskError(std::move(status));
  if (clock.Now() >= next_delete_at) {
    next_delete_at = clock.Now() + kDeletePeriod;
    DeleteConsumed();
  }
  if (assignment.has_joined() && !assignment.is_taking_over()) standbys.Choose(*admin);
  Publish(assignment.is_taking_over() ? "restoring" : "running");
  return {};
}

// Once for each time that a partition falls silent. An empty queue alone says little: after an
// outage the fetcher may just not have come to it yet.
void Worker::Impl::ConfirmIdle(Task& task) {
  Result<kafka::Admin::OffsetRange> range = admin->QueryOffsets(task.id().partition);
  task.SetIdle(range.ok() && range->end <= task.position());
}

// Says what is waited for, where tasks find their records by themselves and cannot.
void Worker::Impl::WatchInputs() {
  for (const auto& task : assignment.tasks()) {
    if (task->input_status().ok()) continue;
    SayWaiting(task->input_status().message());
    is_input_away = true;
    return;
  }
  if (std::exchange(is_input_away, false)) waiting_for.clear();
}

// Of repartition topics, what is committed: nobody else reads it, and nothing else deletes it. What
// cannot be deleted now is the next time.
void Worker::Impl::DeleteConsumed() {
  std::vector<kafka::PartitionOffset> before;
  for (const auto& task : assignment.tasks()) {
    if (task->input().source || task->committed_position() <= 0) continue;
    before.push_back({.partition = task->id().partition, .offset = task->committed_position()});
  }
  if (before.empty()) return;
  if (Status status = admin->DeleteRecords(before); !status.ok()) {
    log->warn("delete_records_failed worker={} reason={}", slot, log::Quoted(status.ToString()));
  }
}

Status Worker::Impl::AdvanceIdle() {
  for (const auto& task : assignment.tasks()) {
    if (!task->is_idle()) continue;
    const auto watermark = shared_time.ActiveWatermark(task->input().source.value());
    if (!watermark) continue;
    // What has come since goes first, or it would be late.
    RETURN_IF_ERROR(task->ReadBatch().status());
    if (task->is_idle()) RETURN_IF_ERROR(task->Advance(*watermark));
  }
  return {};
}

bool Worker::Impl::IsCommitDue() const {
  if (assignment.tasks().empty() || !assignment.group()) return false;
  if (assignment.staged_bytes() >= kStagedBytesMax) return true;
  if (assignment.WantsCommit() && assignment.HasUncommitted()) return true;
  if (clock.Now() - last_commit_at >= context.options.commit_interval) {
    return assignment.HasUncommitted();
  }
  // Nobody waits for more when everything here has ended.
  return assignment.HasJustEnded();
}

bool Worker::Impl::IsJobDone() {
  if (!context.is_bounded()) return false;
  for (const auto& task : assignment.tasks()) {
    if (!task->is_done()) return false;
  }
  return HasJobEnded(*consumer, context, kAttemptTimeout);
}

// Leaves nothing open that can be finished now; what cannot, the next owner finishes.
Status Worker::Impl::Finish(bool is_done) {
  Status status = CommitLast();
  if (status.ok()) status = undrained;
  if (!status.ok()) {
    log->warn("drain_incomplete worker={} reason={}", slot, log::Quoted(status.ToString()));
  }
  assignment.Drop();
  consumer->Close();
  Publish(is_done ? "done" : "stopped");
  return {};
}

// ---- What it says of itself ----

void Worker::Impl::SayWaiting(const std::string& reason) {
  const SteadyTime now = clock.Now();
  if (waiting_for.empty()) next_waiting_log_at = now + kWaitingPatience;
  waiting_for = reason;
  if (now < next_waiting_log_at) return;
  next_waiting_log_at = now + kWaitingLogPeriod;
  log->warn("waiting worker={} for={}", slot, log::Quoted(reason));
  Publish("waiting");
}

void Worker::Impl::Publish(const char* state) {
  WorkerStatus now{.slot = slot, .state = state, .waiting_for = waiting_for};
  now.counters = assignment.past_counters();
  now.commits = commits;
  now.commits_failed = commits_failed;
  now.commit_seconds = std::chrono::duration<double>(commit_time).count();
  now.busy_seconds = std::chrono::duration<double>(busy_time).count();
  now.takeovers = assignment.takeover_count();
  assignment.AddKept(now.counters);
  for (const auto& task : assignment.tasks())
    Enter(now, *task, consumer->KnownEndOffset(task->id().partition));
  now.standbys = standbys.statuses();
  MutexLock lock(status_mutex);
  published = std::move(now);
}

Worker::Worker(const JobContext& context, std::string slot, const Clock& clock)
    : impl_(std::make_unique<Impl>(context, std::move(slot), clock)) {}

Worker::~Worker() = default;

Status Worker::Run(const std::stop_token& stop) {
  impl_->stop = stop;
  std::stop_callback wake(stop, [this] { impl_->event.Signal(); });
  RETURN_IF_ERROR(impl_->Open());
  Status status = impl_->Loop();
  impl_->assignment.Drop();
  return status;
}

WorkerStatus Worker::status() const {
  MutexLock lock(impl_->status_mutex);
  return impl_->published;
}

}  // namespace slipstream::runtime
