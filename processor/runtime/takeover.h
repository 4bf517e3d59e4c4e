#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/group_consumer.h"
#include "common/kafka/partition_reader.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/standbys.h"
#include "processor/runtime/task.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// Takeover: makes tasks of partitions, as every new owner does and as everybody does after an
// abort: there is no other way in. Order: (init_transactions and the join went before) offsets,
// changelog up to the mark, acquire, Commit(mark), read.
//
// A job with standbys does not read what it knows: a task that the worker had before the group
// decided anew, and that nobody has committed for since, goes on as it is; of one that it has a
// copy of, the changelog is read from where the copy ends.
//
// It proceeds in small steps so that the worker goes on serving its group meanwhile; dropping it
// half-way leaves nothing behind, and gives the copies back.
// Threads   the worker's. Blocking  Step, for about a second at most, but for the file system's
//           own deadlines.
class Takeover final {
 public:
  struct Parties {
    const Task::Shared& shared;
    kafka::GroupConsumer& consumer;
    kafka::PartitionReader& changelog;
    kafka::Admin& admin;              // sees committed records only
    kafka::Admin& admin_uncommitted;  // sees all records
    Standbys& standbys;
  };

  // `kept`: tasks from before that were set aside.
  Takeover(Parties parties,
           std::vector<kafka::TopicPartition> partitions,
           std::vector<std::unique_ptr<Task>> kept);
  ~Takeover();

  // True when all tasks are ready; false: call again. Errors: kAborted (another owner has come
  // between: begin a new takeover), kUnavailable (the file system is away: call again),
  // kFailedPrecondition, kDataLoss and others (the job must stop).
  Result<bool> Step();

  std::vector<std::unique_ptr<Task>> TakeTasks();
  // Of those that were kept, the ones that are not among TakeTasks.
  std::vector<std::unique_ptr<Task>> TakeKept();

  // What is waited for at the moment, for people; "" while it proceeds.
  const std::string& waiting_for() const { return waiting_for_; }

 private:
  struct Pending;
  enum class Phase { kOffsets, kStarts, kChangelog, kFiles, kReady };

  Status ReadOffsets();
  void FindKept();
  Status ResolveStarts();
  Status ResolveStart(Pending& pending);
  Status CheckEnd(Pending& pending);
  kafka::TopicPartition ChangelogOf(const Pending& pending) const;
  // Reads on in the changelog of the task at hand; true when it is restored.
  Result<bool> RestoreNext(Pending& pending);
  std::unique_ptr<TaskCopy> NewCopy(const Pending& pending) const;
  std::unique_ptr<TaskCopy> FindCopy(const Pending& pending);
  Status BeginReading(Pending& pending);
  Status TakeRecord(Pending& pending, const kafka::Record& record);
  Result<bool> OnChangelogEnd(Pending& pending, int64_t end_offset);
  Result<bool> FinishFresh(Pending& pending);
  Result<bool> FinishRestored(Pending& pending);
  Status ResolveEnds();
  Status OpenFiles();
  std::unique_ptr<TaskProgram> MakeProgram(const TaskId& id) const;
  Result<std::unique_ptr<Task>> MakeTask(Pending& pending) const;
  Status MakeTasks();

  Parties parties_;
  const JobContext& context_;
  std::shared_ptr<spdlog::logger> log_;
  Phase phase_ = Phase::kOffsets;
  std::vector<std::unique_ptr<Task>> kept_;  // nobody's so far
  std::vector<std::unique_ptr<Pending>> pending_;
  size_t restoring_ = 0;  // index into pending_
  std::optional<JobRecord> minted_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::string waiting_for_;
};

}  // namespace slipstream::runtime
