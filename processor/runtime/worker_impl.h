#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/logger.h>

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
#include "processor/runtime/shared_time.h"
#include "processor/runtime/standbys.h"
#include "processor/runtime/task.h"
#include "processor/runtime/transaction_client.h"
#include "processor/runtime/unguarded_sinks.h"
#include "processor/runtime/worker.h"

namespace slipstream::runtime {

// The parts of a worker, in three files: worker.cpp turns, worker_clients.cpp makes the clients and
// replaces broken ones, worker_commit.cpp commits, begins anew, and answers the group. Private to
// them.

// One call to a broker that may be away.
inline constexpr std::chrono::milliseconds kAttemptTimeout{2'000};
inline constexpr std::chrono::milliseconds kHousekeepingPeriod{200};

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
        standbys(job_context, the_clock, InstanceId()),
        transactions(job_context, slot, [this] { consumer->KeepPlace(); }),
        assignment(job_context.options.standby_count > 0),
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
  void WatchInputs();
  void DeleteConsumed();
  Status AdvanceIdle();
  Status Finish(bool is_done);
  bool IsCommitDue() const;
  bool IsJobDone();

  // ---- Commit ----
  Status CommitDirty(std::chrono::milliseconds patience);
  CommitOutcome CommitEpoch(std::chrono::milliseconds patience);
  Status OnOutcome(const CommitOutcome& outcome);
  Status WriteSuccessFiles();
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
  Standbys standbys;
  TransactionClient transactions;
  std::unique_ptr<kafka::GroupConsumer> consumer;
  Assignment assignment;  // its tasks hold queues of the consumer

  Status undrained;     // why an epoch was lost after the stop
  Status revoke_error;  // from where there is no way to return it: callbacks, takeovers

  SteadyTime last_commit_at;
  SteadyTime next_housekeeping_at;
  SteadyTime next_finish_check_at;
  SteadyTime next_delete_at;
  SteadyTime next_waiting_log_at;
  SteadyTime store_deadline;
  bool was_store_seen = false;
  FailureBudget failures;

  uint64_t commits = 0;
  uint64_t commits_failed = 0;
  SteadyTime::duration commit_time{};
  SteadyTime::duration busy_time{};
  std::string waiting_for;
  bool is_input_away = false;  // it is that, which is waited for

  mutable Mutex status_mutex;
  WorkerStatus published GUARDED_BY(status_mutex);
};

}  // namespace slipstream::runtime
