#include "processor/runtime/assignment.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "processor/runtime/worker_status.h"

namespace slipstream::runtime {

void Assignment::Accept(std::vector<kafka::TopicPartition> partitions,
                        const kafka::GroupMetadata& group) {
  has_joined_ = true;
  partitions_ = std::move(partitions);
  group_ = group;
  const auto others = std::stable_partition(kept_.begin(), kept_.end(), [this](const auto& task) {
    return std::find(partitions_.begin(), partitions_.end(), task->id().partition) !=
           partitions_.end();
  });
  std::vector<std::unique_ptr<Task>> lost(std::make_move_iterator(others),
                                          std::make_move_iterator(kept_.end()));
  kept_.erase(others, kept_.end());
  Bury(std::move(lost));
}

void Assignment::Release() {
  group_.reset();
  partitions_.clear();
  for (auto& task : tasks_) {
    if (!keeps_tasks_ || !task->may_be_kept()) continue;
    task->SetAside();
    kept_.push_back(std::move(task));
  }
  std::erase(tasks_, nullptr);
  Drop();
}

void Assignment::BeginTakeover(const Takeover::Parties& parties) {
  Drop();
  if (partitions_.empty() || !group_) return;
  ++takeover_count_;
  takeover_ = std::make_unique<Takeover>(parties, partitions_, std::exchange(kept_, {}));
}

Result<bool> Assignment::Step() {
  ASSIGN_OR_RETURN(const bool is_ready, takeover_->Step());
  if (!is_ready) return false;
  tasks_ = takeover_->TakeTasks();
  Bury(takeover_->TakeKept());
  takeover_.reset();
  return true;
}

std::string Assignment::waiting_for() const {
  return takeover_ == nullptr ? "" : takeover_->waiting_for();
}

void Assignment::Drop() {
  if (takeover_ != nullptr) {
    for (auto& task : takeover_->TakeKept())
      kept_.push_back(std::move(task));
    takeover_.reset();
  }
  Bury(std::exchange(tasks_, {}));
}

void Assignment::Bury(std::vector<std::unique_ptr<Task>> tasks) {
  for (const auto& task : tasks)
    Add(past_counters_, task->counters());
}

void Assignment::AddKept(TaskProgram::Counters& sum) const {
  for (const auto& task : kept_)
    Add(sum, task->counters());
}

std::vector<Task*> Assignment::All() const {
  std::vector<Task*> all;
  for (const auto& task : tasks_)
    all.push_back(task.get());
  return all;
}

std::vector<Task*> Assignment::Dirty() const {
  std::vector<Task*> dirty;
  for (const auto& task : tasks_) {
    if (task->is_dirty() || task->HasFilesDue()) dirty.push_back(task.get());
  }
  return dirty;
}

Result<size_t> Assignment::ReadNext() {
  return tasks_[next_reader_++ % tasks_.size()]->ReadBatch();
}

uint64_t Assignment::staged_bytes() const {
  uint64_t bytes = 0;
  for (const auto& task : tasks_)
    bytes += task->staged_bytes();
  return bytes;
}

bool Assignment::WantsCommit() const {
  return std::any_of(
      tasks_.begin(), tasks_.end(), [](const auto& task) { return task->wants_commit(); });
}

bool Assignment::HasJustEnded() const {
  return std::all_of(
             tasks_.begin(), tasks_.end(), [](const auto& task) { return task->is_ended(); }) &&
         std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
           return task->is_dirty() || task->is_unfinished() || task->HasFilesDue();
         });
}

bool Assignment::HasUncommitted() const {
  return std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
    return task->is_dirty() || task->is_unfinished() || task->HasFilesDue();
  });
}

}  // namespace slipstream::runtime
