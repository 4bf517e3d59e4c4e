#include "processor/runtime/standbys.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "processor/runtime/succession.h"

namespace slipstream::runtime {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kChoicePeriod{3};
constexpr seconds kFollowRetryPeriod{1};
// Of one partition, before the worker turns to its own tasks again.
constexpr size_t kReadRecordsMax = 2'000;
// A tombstone goes from the changelog some time after it was written (Kafka keeps it for a day): a
// copy that heard nothing for long may have missed one for ever. A partition that is silent for a
// while is asked for its end.
constexpr minutes kSilenceMax{30};
constexpr minutes kProbePeriod{5};

}  // namespace

Standbys::Standbys(const JobContext& context, const Clock& clock, std::string worker)
    : context_(context),
      clock_(clock),
      worker_(std::move(worker)),
      log_(log::Get("processor.standbys")) {}

Status Standbys::Open() {
  if (context_.options.standby_count == 0) return {};
  ASSIGN_OR_RETURN(follower_,
                   kafka::PartitionFollower::Create({.properties = context_.source_properties}));
  return {};
}

// ---- Which ----

void Standbys::Choose(kafka::Admin& admin) {
  if (follower_ == nullptr || clock_.Now() < next_choice_at_) return;
  const auto workers = admin.GroupMembers(context_.group_id);
  next_choice_at_ = clock_.Now() + kChoicePeriod;
  if (workers.ok()) {
    ChooseAmong(*workers);
  } else {
    log_->debug("standbys_not_chosen reason={}", log::Quoted(workers.status().ToString()));
  }
}

void Standbys::ChooseAmong(const std::vector<kafka::Admin::GroupMember>& workers) {
  const auto self = std::find_if(workers.begin(), workers.end(), [this](const auto& worker) {
    return worker.name == worker_;
  });
  if (self == workers.end()) return;  // the group is about to change
  const auto place = static_cast<size_t>(self - workers.begin());
  for (const JobInput& input : context_.inputs) {
    for (int32_t p = 0; p < input.partition_count; ++p) {
      const kafka::TopicPartition task{input.topic, p};
      const std::vector<size_t> succession =
          SuccessionOf(p, input.partition_count, workers, context_.options.standby_count);
      const auto found = std::find(succession.begin(), succession.end(), place);
      if (found == succession.end()) {
        if (standbys_.erase(task) > 0) has_changed_ = true;
      } else if (found != succession.begin() && !standbys_.contains(task)) {
        standbys_.emplace(task, NewStandby(task));
        has_changed_ = true;
      }
    }
  }
}

kafka::TopicPartition Standbys::ChangelogOf(const kafka::TopicPartition& task) const {
  const uint8_t input = context_.InputOf(task.topic).value();
  return {context_.stages[context_.inputs[input].stage].changelog_topic, task.partition};
}

Standbys::Standby Standbys::NewStandby(const kafka::TopicPartition& task) const {
  const uint8_t input = context_.InputOf(task.topic).value();
  return {.changelog = ChangelogOf(task),
          .copy = std::make_unique<TaskCopy>(input, context_.options.scratch, clock_.WallNow())};
}

// ---- Reading ----

// Every changelog partition once, from where the copy that is furthest behind goes on.
Status Standbys::Follow() {
  std::map<kafka::TopicPartition, int64_t> begins;
  for (const auto& [task, standby] : standbys_) {
    if (standby.copy == nullptr) continue;
    const int64_t next = standby.copy->next_offset();
    const auto [entry, is_new] = begins.emplace(standby.changelog, next);
    if (!is_new) entry->second = std::min(entry->second, next);
  }
  std::vector<kafka::PartitionOffset> positions;
  positions.reserve(begins.size());
  for (const auto& [changelog, offset] : begins)
    positions.push_back({.partition = changelog, .offset = offset});
  ASSIGN_OR_RETURN(auto queues, follower_->Follow(positions));
  for (size_t i = 0; i < queues.size(); ++i)
    sources_.push_back({.changelog = positions[i].partition, .queue = std::move(queues[i])});
  return {};
}

bool Standbys::Read() {
  if (follower_ == nullptr) return false;
  follower_->Poll();
  ProbeSilent();
  if (has_changed_) {
    // What comes from where others went on is not for a copy that has just begun.
    sources_.clear();
    if (clock_.Now() < next_follow_at_) return false;
    if (Status status = Follow(); !status.ok()) {
      log_->warn("standbys_not_followed reason={}", log::Quoted(status.ToString()));
      next_follow_at_ = clock_.Now() + kFollowRetryPeriod;
      return false;
    }
    has_changed_ = false;
  }
  bool has_read = false;
  for (Source& source : sources_)
    has_read = ReadFrom(source) || has_read;
  return has_read;
}

bool Standbys::ReadFrom(Source& source) {
  const auto batch = source.queue->Read(kReadRecordsMax);
  if (batch->empty()) return false;
  for (auto& [task, standby] : standbys_) {
    if (standby.copy == nullptr || standby.changelog != source.changelog) continue;
    if (IsStale(*standby.copy) || batch->error().code() == Code::kOutOfRange) {
      log_->warn("standby_begun_anew task={} reason={}",
                 kafka::ToString(task),
                 log::Quoted(batch->error().ok() ? "nothing was heard for long"
                                                 : batch->error().message()));
      standby = NewStandby(task);
      has_changed_ = true;
      next_follow_at_ = clock_.Now() + kFollowRetryPeriod;
      continue;
    }
    TakeBatch(standby, *batch);
  }
  return !batch->records().empty();
}

void Standbys::TakeBatch(Standby& standby, const kafka::MessageBatch& batch) {
  for (const kafka::Record& record : batch.records()) {
    if (Status status = standby.copy->Take(record); !status.ok()) {
      // Whoever has to take the task over says so, and stops the job.
      log_->warn("standby_unreadable changelog={} reason={}",
                 kafka::ToString(standby.changelog),
                 log::Quoted(status.ToString()));
      standby.copy.reset();
      return;
    }
  }
  if (batch.end_offset()) {
    standby.copy->SkipTo(*batch.end_offset());
    standby.has_caught_up = true;
  }
  if (batch.error().ok()) standby.copy->Hear(clock_.WallNow());
}

bool Standbys::IsStale(const TaskCopy& copy) const {
  return clock_.WallNow() - copy.heard_at() > kSilenceMax;
}

void Standbys::ProbeSilent() {
  if (has_changed_ || clock_.Now() < next_probe_at_) return;
  next_probe_at_ = clock_.Now() + kProbePeriod;
  const WallTime now = clock_.WallNow();
  has_changed_ = std::any_of(standbys_.begin(), standbys_.end(), [&](const auto& entry) {
    return entry.second.copy != nullptr && now - entry.second.copy->heard_at() > kProbePeriod;
  });
}

// ---- Handing over ----

std::unique_ptr<TaskCopy> Standbys::Take(const kafka::TopicPartition& task) {
  const auto found = standbys_.find(task);
  if (found == standbys_.end()) return nullptr;
  std::unique_ptr<TaskCopy> copy;
  if (found->second.copy != nullptr && !IsStale(*found->second.copy))
    copy = std::move(found->second.copy);
  standbys_.erase(found);
  has_changed_ = true;
  return copy;
}

void Standbys::Return(const kafka::TopicPartition& task, std::unique_ptr<TaskCopy> copy) {
  if (follower_ == nullptr || copy == nullptr) return;
  standbys_.insert_or_assign(task,
                             Standby{.changelog = ChangelogOf(task), .copy = std::move(copy)});
  has_changed_ = true;
}

std::vector<WorkerStatus::StandbyStatus> Standbys::statuses() const {
  std::vector<WorkerStatus::StandbyStatus> all;
  for (const auto& [task, standby] : standbys_) {
    if (standby.copy == nullptr) continue;
    WorkerStatus::StandbyStatus& status = all.emplace_back();
    status.topic = task.topic;
    status.partition = task.partition;
    const int64_t end = follower_->KnownEndOffset(standby.changelog);
    if (standby.has_caught_up && end >= 0)
      status.lag = std::max<int64_t>(end - standby.copy->next_offset(), 0);
  }
  return all;
}

}  // namespace slipstream::runtime
