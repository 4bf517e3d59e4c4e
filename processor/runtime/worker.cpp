#include "processor/runtime/worker.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/block/encoded_block.h"
#include "common/kafka/admin.h"
#include "common/kafka/group_consumer.h"
#include "common/kafka/partition_reader.h"
#include "common/log/log.h"
#include "common/sync/mutex.h"
#include "processor/runtime/assignment.h"
#include "processor/runtime/commit.h"
#include "processor/runtime/event_fd.h"
#include "processor/runtime/failure_budget.h"
#include "processor/runtime/job_end.h"
#include "processor/runtime/shared_time.h"
#include "processor/runtime/task.h"
#include "processor/runtime/transaction_client.h"
#include "processor/runtime/unguarded_sinks.h"
#include "processor/runtime/worker_status.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

// Fetched and not yet read, over all partitions of a worker; librdkafka's bookkeeping comes on top.
constexpr size_t kFetchBytesMax = size_t{24} << 20;
constexpr size_t kPartitionFetchBytesMin = size_t{1} << 20;
// Results of an epoch that wait for its commit: more than this, and it comes early.
constexpr uint64_t kStagedBytesMax = uint64_t{12} << 20;
constexpr milliseconds kHousekeepingPeriod{200};
constexpr milliseconds kWaitMax{50};
constexpr milliseconds kAttemptTimeout{2'000};
// What takes longer than this is worth a line; and how often.
constexpr milliseconds kWaitingPatience{2'000};
constexpr milliseconds kWaitingLogPeriod{5'000};
constexpr milliseconds kFinishCheckPeriod{300};
constexpr milliseconds kUnguardedFlushTimeout{10'000};
// How long a commit waits for the file system; see CommitRound.
constexpr milliseconds kStorePatience{90'000};
// Once stopped: how long the last commit, and what it waits for, may take.
constexpr milliseconds kDrainPatience{5'000};

}  // namespace

struct Worker::Impl final : kafka::GroupConsumer::Listener {
  Impl(const JobContext& job_context, std::string slot_name, const Clock& the_clock)
      : context(job_context),
        slot(std::move(slot_name)),
        clock(the_clock),
        log(log::Get("processor.worker")),
        compressor(job_context.options.compression_level),
        shared{.context = job_context,
               .compressor = compressor,
               .clock = the_clock,
               .send_unguarded =
                   [this](size_t sink, const kafka::OutgoingRecord& record) {
                     return unguarded.Send(sink, record, stop);
                   }},
        shared_time(job_context),
        transactions(job_context, slot, [this] { consumer->KeepPlace(); }),
        failures(the_clock) {}

  // ---- Set-up ----
  Status Open();
  std::string InstanceId() const;
  Status OpenTransactions();
  Status OpenConsumer();
  Status ReplaceConsumer(const Status& why);

  // ---- The loop ----
  Status Loop();
  Status Turn();
  Status StepTakeover();
  Result<bool> ReadAll();
  Status Housekeep();
  void ConfirmIdle(Task& task);
  Status AdvanceIdle();
  Status Finish(bool is_done);
  bool IsCommitDue() const;
  bool IsJobDone();

  // ---- Commit ----
  Status CommitDirty(milliseconds patience);
  CommitOutcome CommitEpoch(milliseconds patience);
  Status OnOutcome(const CommitOutcome& outcome);
  Status SettleQuiet(const std::vector<Task*>& committed);
  Status CommitLast();
  void BeginTakeover();
  Status OnTaskError(Status status);

  // kafka::GroupConsumer::Listener
  void OnAssigned(const std::vector<kafka::TopicPartition>& partitions,
                  const kafka::GroupMetadata& metadata) override;
  void OnRevoked(const std::vector<kafka::TopicPartition>& partitions, bool is_lost) override;

  void SayWaiting(const std::string& reason);
  void Publish(const char* state);

  const JobContext& context;
  const std::string slot;
  const Clock& clock;
  std::shared_ptr<spdlog::logger> log;
  std::stop_token stop;
  EventFd event;

  block::FrameCompressor compressor;
  const Task::Shared shared;

  // Clients; the consumer last, so that it goes first.
  std::unique_ptr<kafka::Admin> admin;
  std::unique_ptr<kafka::Admin> admin_uncommitted;
  std::unique_ptr<kafka::PartitionReader> changelog;
  UnguardedSinks unguarded;
  SharedTime shared_time;
  TransactionClient transactions;
  std::unique_ptr<kafka::GroupConsumer> consumer;
  Assignment assignment;  // its tasks hold queues of the consumer

  Status undrained;     // why an epoch was lost after the stop
  Status revoke_error;  // from where there is no way to return it: callbacks, takeovers

  SteadyTime last_commit_at;
  SteadyTime next_housekeeping_at;
  SteadyTime next_finish_check_at;
  SteadyTime next_waiting_log_at;
  SteadyTime store_deadline;
  bool was_store_seen = false;
  FailureBudget failures;

  uint64_t commits = 0;
  std::string waiting_for;

  mutable Mutex status_mutex;
  WorkerStatus published GUARDED_BY(status_mutex);
};

// ---- Set-up ----

Status Worker::Impl::Open() {
  const kafka::Properties& properties = context.source_properties;
  ASSIGN_OR_RETURN(admin,
                   kafka::Admin::Create({.properties = properties, .timeout = kAttemptTimeout}));
  ASSIGN_OR_RETURN(admin_uncommitted,
                   kafka::Admin::Create(
                       {.properties = Join(properties, {{"isolation.level", "read_uncommitted"}}),
                        .timeout = kAttemptTimeout}));
  ASSIGN_OR_RETURN(changelog, kafka::PartitionReader::Create({.properties = properties}));
  // So that it knows the topic by the time the first task is restored.
  RETURN_IF_ERROR(changelog->Start({context.changelog_topic, 0}, kafka::kOffsetBeginning));
  RETURN_IF_ERROR(shared_time.Open());
  RETURN_IF_ERROR(unguarded.Open(context));
  store_deadline = clock.Now() + context.options.connect_timeout;
  return OpenConsumer();
}

Status Worker::Impl::OpenConsumer() {
  kafka::GroupConsumer::Options options{.properties = context.source_properties,
                                        .group_id = context.group_id,
                                        .instance_id = InstanceId(),
                                        .session_timeout = context.options.session_timeout,
                                        .event_fd = event.fd()};
  const size_t share = kFetchBytesMax / std::max<size_t>(context.task_count(), 1);
  options.queue_bytes_max = std::max(share, kPartitionFetchBytesMin);
  ASSIGN_OR_RETURN(consumer, kafka::GroupConsumer::Create(std::move(options), *this));
  return {};
}

// The consumer is fenced, or says so: when its brokers were away for longer than its session and
// the worker was busy meanwhile, librdkafka (2.0.2) goes on sending heartbeats, without the member
// id that it has already given up, and takes the refusal for another of the same instance id
// (confluentinc/librdkafka#3437). Either way the partitions are gone and this consumer never comes
// back. Another joins in its place, under the same name; two processes that really share a name do
// this to each other until both have had enough.
Status Worker::Impl::ReplaceConsumer(const Status& why) {
  RETURN_IF_ERROR(failures.OnClientBroken(why));
  log->warn("consumer_replaced worker={} reason={}", slot, log::Quoted(why.ToString()));
  assignment.Release();
  consumer.reset();
  RETURN_IF_ERROR(OpenConsumer());
  return consumer->Subscribe(context.topics());
}

// The slot, and how many partitions there are: a static member that comes back gets its old
// partitions without a rebalance, so after a topic has grown nobody would ever get the new ones.
std::string Worker::Impl::InstanceId() const {
  return fmt::format("{}-p{}", slot, context.task_count());
}

Status Worker::Impl::OpenTransactions() {
  Status status = transactions.Open(kAttemptTimeout);
  if (status.ok()) {
    waiting_for.clear();
    return {};
  }
  if (status.code() == Code::kUnavailable) {
    SayWaiting("transactions: " + status.message());
    return {};
  }
  return status.code() == Code::kInvalidArgument ? status : failures.OnClientBroken(status);
}

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
    Result<bool> read = ReadAll();
    if (!read.ok()) return OnTaskError(read.status());
    has_read = *read;
  }
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
  RETURN_IF_ERROR(shared_time.Poll());
  if (Status status = AdvanceIdle(); !status.ok()) return OnTaskError(std::move(status));
  Publish(assignment.is_taking_over() ? "restoring" : "running");
  return {};
}

// Once for each time that a partition falls silent. An empty queue alone says little: after an
// outage the fetcher may just not have come to it yet.
void Worker::Impl::ConfirmIdle(Task& task) {
  Result<kafka::Admin::OffsetRange> range = admin->QueryOffsets(task.id().partition);
  task.SetIdle(range.ok() && range->end <= task.position());
}

Status Worker::Impl::AdvanceIdle() {
  const std::optional<EventTimeUs> watermark = shared_time.ActiveWatermark();
  if (!watermark) return {};
  for (const auto& task : assignment.tasks()) {
    if (!task->is_idle()) continue;
    // What has come since goes first, or it would be late.
    RETURN_IF_ERROR(task->ReadBatch().status());
    if (task->is_idle()) RETURN_IF_ERROR(task->Advance(*watermark));
  }
  return {};
}

bool Worker::Impl::IsCommitDue() const {
  if (assignment.tasks().empty() || !assignment.group()) return false;
  if (assignment.staged_bytes() >= kStagedBytesMax) return true;
  if (clock.Now() - last_commit_at >= context.options.commit_interval) {
    return assignment.HasUncommitted();
  }
  // Nobody waits for more when everything here has ended.
  return assignment.HasJustEnded();
}

bool Worker::Impl::IsJobDone() {
  if (!context.program->source().is_bounded) return false;
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

// ---- Commit ----

Status Worker::Impl::CommitDirty(milliseconds patience) {
  if (!assignment.group()) return {};
  const std::vector<Task*> dirty = assignment.Dirty();
  const CommitOutcome outcome = CommitEpoch(patience);
  // From the end of the round: one that took longer than the interval must not be followed by the
  // next after a single batch.
  last_commit_at = clock.Now();
  if (!outcome.ok()) return OnOutcome(outcome);
  return SettleQuiet(dirty);
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
  CommitOutcome outcome = round.Run(dirty);
  if (!outcome.ok()) return outcome;
  ++commits;
  failures.OnCommitted();
  waiting_for.clear();
  return outcome;
}

// Those that go on writing tell the master with their next Prepare. The others now.
Status Worker::Impl::SettleQuiet(const std::vector<Task*>& committed) {
  std::vector<Task*> quiet;
  for (const auto& task : assignment.tasks()) {
    const bool is_ending = task->is_ended() && !task->is_dirty();
    const bool was_quiet =
        std::find(committed.begin(), committed.end(), task.get()) == committed.end();
    if (!task->is_settled() && (is_ending || was_quiet)) quiet.push_back(task.get());
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
                            .admin_uncommitted = *admin_uncommitted});
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
  now.takeovers = assignment.takeover_count();
  for (const auto& task : assignment.tasks())
    Enter(now, *task, consumer->KnownEndOffset(task->id().partition));
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
