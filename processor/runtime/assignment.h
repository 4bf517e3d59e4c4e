#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/group_metadata.h"
#include "common/kafka/types.h"
#include "common/status/status.h"
#include "processor/runtime/takeover.h"
#include "processor/runtime/task.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// Assignment: the partitions that the group has given to a worker, and the tasks made of them. The
// tasks are on their way (a takeover is running) or at work, all together; they are thrown away
// and taken over again whenever an epoch of theirs comes to nothing. Where that is wanted, those
// that have nothing uncommitted are kept while the group decides anew, for the case that it gives
// their partitions back.
//
// Ownership  owns the tasks, which hold queues of the consumer they were taken over with.
// Threads    the worker's. Blocking  Step, as Takeover::Step.
class Assignment final {
 public:
  explicit Assignment(bool keeps_tasks) : keeps_tasks_(keeps_tasks) {}

  // ---- The group ----

  // From the assign callback: `group` is what commits must carry from now on.
  void Accept(std::vector<kafka::TopicPartition> partitions, const kafka::GroupMetadata& group);
  // From the revoke callback, or when the consumer is gone: nothing may be committed any more.
  void Release();
  // Whether the group has ever answered, be it with nothing.
  bool has_joined() const { return has_joined_; }
  const std::optional<kafka::GroupMetadata>& group() const { return group_; }

  // ---- Taking over ----

  // Throws the tasks away and begins to make them anew, if there are any to make.
  void BeginTakeover(const Takeover::Parties& parties);
  bool is_taking_over() const { return takeover_ != nullptr; }
  // One step of the takeover; true: the tasks are at work. Errors as Takeover::Step.
  Result<bool> Step();
  // What the takeover waits for; "" while it proceeds.
  std::string waiting_for() const;
  uint64_t takeover_count() const { return takeover_count_; }

  // Throws away tasks and takeover.
  void Drop();
  // Of tasks that are kept.
  void AddKept(TaskProgram::Counters& sum) const;

  // ---- The tasks at work ----

  const std::vector<std::unique_ptr<Task>>& tasks() const { return tasks_; }
  std::vector<Task*> All() const;
  // Those with something to commit.
  std::vector<Task*> Dirty() const;
  // Reads a batch of the task behind the one that was read last, so that each gets its turn even if
  // every batch makes a commit due. The number of records; errors as Task::ReadBatch. Only while
  // there are tasks.
  Result<size_t> ReadNext();
  // The bytes that wait for the next commit.
  uint64_t staged_bytes() const;
  bool WantsCommit() const;
  // Whether anything is left to commit, to tell the master of, or to say that it is complete.
  bool HasUncommitted() const;
  // Whether nothing more will come, and some of that is not committed or not settled yet. What
  // waits for tasks elsewhere does not count.
  bool HasJustEnded() const;
  // Of tasks that are gone.
  const TaskProgram::Counters& past_counters() const { return past_counters_; }

 private:
  void Bury(std::vector<std::unique_ptr<Task>> tasks);

  const bool keeps_tasks_;
  bool has_joined_ = false;
  std::vector<kafka::TopicPartition> partitions_;
  std::optional<kafka::GroupMetadata> group_;  // none: nothing may be committed
  std::unique_ptr<Takeover> takeover_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::unique_ptr<Task>> kept_;
  size_t next_reader_ = 0;  // counts on; modulo the number of tasks
  uint64_t takeover_count_ = 0;
  TaskProgram::Counters past_counters_;
};

}  // namespace slipstream::runtime
