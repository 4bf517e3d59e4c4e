#include "processor/runtime/commit.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/clock/sleep.h"
#include "common/failpoint/failpoint.h"
#include "common/log/log.h"

namespace slipstream::runtime {
namespace {

using Kind = CommitOutcome::Kind;

constexpr std::chrono::milliseconds kRetryPeriod{100};

CommitOutcome Committed() {
  return {};
}

dfs::EpochPair ToDfs(const MarkPair& pair) {
  return {.epoch = pair.epoch, .incarnation = pair.incarnation};
}

// What a failure of the file system means before the transaction has begun: nothing was promised
// to anybody but by the candidates at the master, which the next owner outlives.
CommitOutcome FromStore(Status status) {
  const bool is_transient =
      status.code() == Code::kAborted || status.code() == Code::kUnavailable ||
      status.code() == Code::kDeadlineExceeded || status.code() == Code::kCancelled;
  return {.kind = is_transient ? Kind::kTakeOver : Kind::kFailed, .why = std::move(status)};
}

// A task whose epoch touches files of the file system.
bool HasFileEpoch(Task* task) {
  return task->dfs_files() != nullptr && task->dfs_files()->has_epoch();
}

dfs::AppenderEpoch MakeAppenderEpoch(Task& task) {
  return {.owner = task.dfs_files()->owner(),
          .incarnation = task.next_pair().incarnation,
          .epoch = task.next_pair().epoch,
          .committed = ToDfs(task.file_pair()),
          .files = task.dfs_files()->MakeEpoch()};
}

// Of the first task whose records bear a name.
trace::Id TraceOf(std::span<Task* const> tasks) {
  for (const Task* task : tasks) {
    if (task->trace().is_set()) return task->trace();
  }
  return {};
}

// Under the name of the task's own records, with that of the calls beside it.
void LogCommitted(const Task& task) {
  const std::string calls = trace::Current().is_set() ? trace::Current().ToString() : "none";
  const trace::Scope scope(task.trace());
  log::Get("processor.commit")
      ->debug("epoch_committed task={} epoch={} offset={} calls={}",
              kafka::ToString(task.id().partition),
              task.next_pair().epoch,
              task.position(),
              calls);
}

}  // namespace

CommitOutcome CommitRound::Run(std::span<Task* const> tasks) {
  const trace::Scope scope(TraceOf(tasks));
  give_up_at_ = parties_.clock.Now() + parties_.store_patience;
  for (Task* task : tasks) {
    if (Status ended = task->EndEpoch(); !ended.ok()) {
      return {.kind = Kind::kFailed, .why = std::move(ended)};
    }
  }
  if (CommitOutcome outcome = FlushFiles(tasks); !outcome.ok()) return outcome;
  if (CommitOutcome outcome = Prepare(tasks); !outcome.ok()) return outcome;
  for (Task* task : tasks) {
    Status staged = task->StageMark(parties_.is_time_shared);
    if (!staged.ok()) return {.kind = Kind::kFailed, .why = std::move(staged)};
  }
  if (Status flushed = parties_.flush_unguarded(); !flushed.ok()) {
    return {.kind = Kind::kTakeOver, .why = std::move(flushed)};
  }
  if (CommitOutcome outcome = Transact(tasks); !outcome.ok()) return outcome;
  for (Task* task : tasks) {
    LogCommitted(*task);
    task->OnCommitted();
  }
  return Committed();
}

Status CommitRound::WithPatience(const std::function<Status()>& call) {
  for (;;) {
    Status status = call();
    if (status.code() != Code::kUnavailable && status.code() != Code::kDeadlineExceeded) {
      return status;
    }
    if (parties_.stop.stop_requested() || parties_.clock.Now() >= give_up_at_) return status;
    parties_.on_waiting(status);
    // A call that is refused at once must not be made a thousand times a second.
    SleepUnlessStopped(kRetryPeriod, parties_.stop);
  }
}

CommitOutcome CommitRound::FlushFiles(std::span<Task* const> tasks) {
  SLIPSTREAM_FAILPOINT_HIT("commit.before_blocks");
  const int64_t now_ms = parties_.clock.WallNow().time_since_epoch().count();
  for (Task* task : tasks) {
    if (Status ended = task->EndFileEpoch(now_ms); !ended.ok()) return FromStore(std::move(ended));
  }
  if (CommitOutcome outcome = WriteBlocks(tasks); !outcome.ok()) return outcome;
  SLIPSTREAM_FAILPOINT_HIT("commit.after_blocks");
  return Committed();
}

CommitOutcome CommitRound::WriteBlocks(std::span<Task* const> tasks) {
  std::vector<DfsFiles*> files;
  for (Task* task : tasks) {
    if (task->dfs_files() != nullptr) files.push_back(task->dfs_files());
  }
  if (files.empty()) return Committed();
  Status status =
      WithPatience([&] { return DfsFiles::WriteEpochs(*parties_.context.store, files); });
  return status.ok() ? Committed() : FromStore(std::move(status));
}

CommitOutcome CommitRound::Prepare(std::span<Task* const> tasks) {
  SLIPSTREAM_FAILPOINT_HIT("commit.before_prepare");
  std::vector<Task*> writers;
  std::vector<dfs::AppenderEpoch> epochs;
  for (Task* task : tasks) {
    if (!HasFileEpoch(task)) continue;
    writers.push_back(task);
    epochs.push_back(MakeAppenderEpoch(*task));
  }
  if (writers.empty()) return Committed();
  std::vector<dfs::PreparedEpoch> prepared;
  Status status = WithPatience([&]() -> Status {
    ASSIGN_OR_RETURN(prepared, parties_.context.store->Prepare(epochs, false));
    return {};
  });
  if (status.code() == Code::kResourceExhausted) {
    // Every attempt that failed left a candidate, and only a commit removes them.
    status = status.WithContext("`dfs appenders --abort OWNER` discards epochs never committed");
  }
  if (!status.ok()) return FromStore(std::move(status));
  if (prepared.size() != writers.size()) {
    return {.kind = Kind::kFailed, .why = Internal("prepare: answers differ in number")};
  }
  const int64_t now_ms = parties_.clock.WallNow().time_since_epoch().count();
  std::vector<Task*> again;
  for (size_t i = 0; i < writers.size(); ++i) {
    writers[i]->set_settled();  // the request carried the previous commit
    Result<bool> taken = writers[i]->dfs_files()->TakePrepared(prepared[i], now_ms);
    if (!taken.ok()) return {.kind = Kind::kFailed, .why = taken.status()};
    if (*taken) {
      writers[i]->MarkFilesPrepared();
    } else {
      again.push_back(writers[i]);
    }
  }
  if (!again.empty()) return PrepareAgain(again);
  SLIPSTREAM_FAILPOINT_HIT("commit.after_prepare");
  return Committed();
}

CommitOutcome CommitRound::PrepareAgain(std::span<Task* const> tasks) {
  for (Task* task : tasks) {
    dfs::AppenderState state;
    Status status = WithPatience([&]() -> Status {
      ASSIGN_OR_RETURN(state, parties_.context.store->AcquireAppender(task->dfs_files()->owner()));
      return {};
    });
    if (!status.ok()) return FromStore(std::move(status));
    // The pair given up was answered with part of the epoch; it must never have other contents.
    task->set_incarnation(state.incarnation);
  }
  if (CommitOutcome outcome = WriteBlocks(tasks); !outcome.ok()) return outcome;
  return Prepare(tasks);
}

CommitOutcome CommitRound::Transact(std::span<Task* const> tasks) {
  const SteadyTime begun_at = parties_.clock.Now();
  Status status = RunTransaction(tasks);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(parties_.clock.Now() - begun_at);
  const bool was_long = parties_.transactions.OnTransactionOver(elapsed);
  if (status.ok()) return Committed();
  if (was_long) {
    return {.kind = Kind::kTooLong,
            .why = status.WithContext(
                fmt::format("transaction: {} ms of the timeout of {} ms were over",
                            elapsed.count(),
                            parties_.transactions.timeout().count()))};
  }
  switch (status.code()) {
    case Code::kFailedPrecondition:  // fenced, or broken
    case Code::kDeadlineExceeded:    // nobody knows; only the mark will tell
    case Code::kUnavailable:
      return {.kind = Kind::kNewProducer, .why = std::move(status)};
    default:
      break;
  }
  const bool is_ours = status.code() == Code::kResourceExhausted;  // a record too large
  Status aborted = parties_.transactions.producer().Abort();
  if (is_ours) return {.kind = Kind::kFailed, .why = std::move(status)};
  return {.kind = aborted.ok() ? Kind::kTakeOver : Kind::kNewProducer, .why = std::move(status)};
}

Status CommitRound::RunTransaction(std::span<Task* const> tasks) {
  kafka::TransactionalProducer& producer = parties_.transactions.producer();
  RETURN_IF_ERROR(producer.Begin());
  SLIPSTREAM_FAILPOINT_HIT("commit.after_begin");
  RETURN_IF_ERROR(ProduceAll(tasks));
  SLIPSTREAM_FAILPOINT("commit.after_produce");
  std::vector<kafka::PartitionOffset> offsets;
  for (Task* task : tasks)
    offsets.push_back(task->CommittedOffset());
  RETURN_IF_ERROR(producer.SendOffsets(offsets, parties_.group));
  SLIPSTREAM_FAILPOINT_HIT("commit.after_offsets");
  RETURN_IF_ERROR(producer.Commit());
  SLIPSTREAM_FAILPOINT_HIT("commit.after_kafka_commit");
  return {};
}

Status CommitRound::ProduceAll(std::span<Task* const> tasks) {
  kafka::TransactionalProducer& producer = parties_.transactions.producer();
  const std::vector<kafka::TransactionalProducer::Topic*>& topics = parties_.transactions.topics();
  for (Task* task : tasks) {
    // A record that is too large comes again with every run: say where to look for it.
    RETURN_IF_ERROR(task->staged().ForEach([&](size_t output, const kafka::OutgoingRecord& record) {
      Status status = producer.Produce(*topics[output], record);
      if (status.ok()) return status;
      return status.WithContext(
          fmt::format("{} before offset={}: record of {} bytes to {}",
                      kafka::ToString(task->id().partition),
                      task->position(),
                      record.key.value_or("").size() + record.value.value_or("").size(),
                      parties_.context.output_topics[output]));
    }));
  }
  return SenderMarks(tasks).ForEach([&](size_t output, const kafka::OutgoingRecord& record) {
    return producer.Produce(*topics[output], record);
  });
}

StagedRecords CommitRound::SenderMarks(std::span<Task* const> tasks) const {
  const JobContext& context = parties_.context;
  std::vector<std::vector<SenderMark>> marks(context.stages.size());
  for (const Task* task : tasks) {
    const std::optional<SenderMark> mark = task->NewSenderMark();
    if (!mark) continue;
    for (const uint32_t stage : task->input().feeds)
      marks[stage].push_back(*mark);
  }
  StagedRecords staged;
  for (uint32_t stage = 1; stage < marks.size(); ++stage) {
    if (marks[stage].empty()) continue;
    const std::string record = EncodeSenderMarks(marks[stage]);
    // The next stage goes on under the same name.
    const std::string trace = trace::ToHeader(trace::Current());
    const kafka::Header header{.name = trace::kHeader, .value = trace};
    const std::span headers(&header, trace::Current().is_set() ? 1U : 0U);
    for (int32_t p = 0; p < context.stage_partition_count(stage); ++p)
      staged.Add(context.stages[stage].repartition_output, p, std::nullopt, record, headers);
  }
  return staged;
}

Status Settle(dfs::AppendStore& store, std::span<Task* const> tasks) {
  std::vector<dfs::AppenderCommit> commits;
  for (Task* task : tasks) {
    if (task->is_settled()) continue;
    commits.push_back({.owner = task->dfs_files()->owner(), .pair = ToDfs(task->file_pair())});
  }
  if (commits.empty()) return {};
  SLIPSTREAM_FAILPOINT_HIT("commit.before_master_commit");
  Result<std::vector<uint64_t>> dropped = store.Commit(commits);
  if (!dropped.ok()) return dropped.status();
  SLIPSTREAM_FAILPOINT_HIT("commit.after_master_commit");
  for (uint64_t inode_id : *dropped) {
    log::Get("processor.files")->warn("file_deleted_by_user inode={} rows=dropped", inode_id);
  }
  for (Task* task : tasks)
    task->set_settled();
  return {};
}

}  // namespace slipstream::runtime
