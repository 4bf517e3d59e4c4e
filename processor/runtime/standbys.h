#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/partition_follower.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/task_copy.h"
#include "processor/runtime/worker.h"

namespace slipstream::runtime {

// Standbys: a worker's copies of tasks that others own and that would be its own if a process died
// (see SuccessionOf). Each is read from the task's changelog and goes on with it, so that a
// takeover has only the rest to read.
//
// A copy makes a takeover faster and nothing else: it holds what Kafka has committed, and a
// takeover reads on in it up to the mark that the group's offsets name, as it would from the
// beginning. So it does not matter if the copy is of the wrong task, behind, or missing.
//
// Cost      a copy takes as much memory (or scratch) as the task's state, and a little of the
//           worker's time for each change.
// Threads   the worker's. Blocking  Choose, while the group is asked for: as kafka::Admin.
class Standbys final {
 public:
  // `worker`: what it is called in its group. Does nothing unless the job is to have standbys.
  Standbys(const JobContext& context, const Clock& clock, std::string worker);

  Status Open();

  // Asks who is in the group, now and then, and begins and ends copies accordingly. Those of tasks
  // that are about to be this worker's own stay.
  void Choose(kafka::Admin& admin);
  // Takes some of what has come. true: there was something.
  bool Read();

  // Hands the copy of the partition's task over; null: there is none, or it is of no use any more.
  std::unique_ptr<TaskCopy> Take(const kafka::TopicPartition& task);
  // Takes it back, from a takeover that came to nothing.
  void Return(const kafka::TopicPartition& task, std::unique_ptr<TaskCopy> copy);

  std::vector<WorkerStatus::StandbyStatus> statuses() const;

 private:
  struct Standby {
    kafka::TopicPartition changelog;
    std::unique_ptr<TaskCopy> copy;  // null: the changelog makes no sense
    bool has_caught_up = false;      // with the end, as it was then
  };
  struct Source {
    kafka::TopicPartition changelog;
    std::unique_ptr<kafka::PartitionQueue> queue;
  };

  kafka::TopicPartition ChangelogOf(const kafka::TopicPartition& task) const;
  Standby NewStandby(const kafka::TopicPartition& task) const;
  void ChooseAmong(const std::vector<kafka::Admin::GroupMember>& workers);
  Status Follow();
  bool ReadFrom(Source& source);
  void TakeBatch(Standby& standby, const kafka::MessageBatch& batch);
  bool IsStale(const TaskCopy& copy) const;
  void ProbeSilent();

  const JobContext& context_;
  const Clock& clock_;
  const std::string worker_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<kafka::PartitionFollower> follower_;
  std::vector<Source> sources_;                        // of follower_, which outlives them
  std::map<kafka::TopicPartition, Standby> standbys_;  // by the task's partition
  bool has_changed_ = false;                           // what is to be read, since Follow
  SteadyTime next_choice_at_;
  SteadyTime next_follow_at_;
  SteadyTime next_probe_at_;
};

}  // namespace slipstream::runtime
