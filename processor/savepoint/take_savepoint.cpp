#include "processor/savepoint/take_savepoint.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/kafka/admin.h"
#include "common/kafka/partition_reader.h"
#include "processor/runtime/changelog_scan.h"
#include "processor/runtime/job_topics.h"
#include "processor/runtime/patience.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

// A worker that died in a transaction keeps others waiting for its end.
constexpr milliseconds kRestTimeout{30'000};

// What one input of a stage has committed in a partition of the stage's changelog.
struct Committed {
  std::unordered_map<std::string, std::string> state;
  std::unordered_map<std::string, std::string> times;
  std::optional<Mark> mark;
};

void Apply(std::unordered_map<std::string, std::string>& keys,
           std::string_view key,
           const std::optional<std::string_view>& value) {
  if (value) {
    keys.insert_or_assign(std::string(key), std::string(*value));
  } else {
    keys.erase(std::string(key));
  }
}

Status Apply(const kafka::Record& record, std::map<uint8_t, Committed>& committed) {
  if (!record.key) return DataLoss(fmt::format("offset={}: a record without key", record.offset));
  ASSIGN_OR_RETURN(const ChangelogKey key, ParseChangelogKey(*record.key));
  Committed& of = committed[key.input];
  switch (key.kind) {
    case ChangelogKind::kState:
      Apply(of.state, key.state_key, record.value);
      return {};
    case ChangelogKind::kTime:
      Apply(of.times, key.state_key, record.value);
      return {};
    case ChangelogKind::kJob:
      return {};
    case ChangelogKind::kMark:
      break;
  }
  if (!record.value) return {};
  ASSIGN_OR_RETURN(of.mark, ParseMark(*record.value));
  return {};
}

class Saver {
 public:
  Saver(JobContext& context, SavepointWriter& writer, std::stop_token stop)
      : context_(context), writer_(writer), stop_(std::move(stop)) {}

  Status Open();
  Status Run(const Clock& clock);

 private:
  using Ends = std::map<kafka::TopicPartition, int64_t>;

  // Fills in the partition counts.
  Status CountPartitions();
  // Calls `visit` for all committed records of the partition from `offset` on.
  Status ForEachRecord(const kafka::TopicPartition& partition,
                       int64_t offset,
                       const std::function<Status(const kafka::Record&)>& visit);
  Status NothingCommitted() const;
  Status CheckJob(const JobRecord& job) const;
  // Where the job's own topics end, with nothing open in them.
  Result<Ends> EndsAtRest();
  Status SavePartition(uint32_t stage, int32_t partition);
  Status SaveTask(const SavepointTask& task, const Committed& committed);

  JobContext& context_;
  SavepointWriter& writer_;
  const std::stop_token stop_;
  std::unique_ptr<kafka::Admin> admin_;              // sees committed records only
  std::unique_ptr<kafka::Admin> admin_uncommitted_;  // sees all records
  std::unique_ptr<kafka::PartitionReader> reader_;
};

Status Saver::Open() {
  const kafka::Properties& properties = context_.source_properties;
  ASSIGN_OR_RETURN(admin_, kafka::Admin::Create({.properties = properties}));
  ASSIGN_OR_RETURN(admin_uncommitted_,
                   kafka::Admin::Create({.properties = properties, .sees_uncommitted = true}));
  ASSIGN_OR_RETURN(reader_, kafka::PartitionReader::Create({.properties = properties}));
  return CountPartitions();
}

Status Saver::CountPartitions() {
  RETURN_IF_ERROR(WaitForSourceTopics(*admin_, context_, stop_));
  for (uint32_t stage = 0; stage < context_.stages.size(); ++stage) {
    const JobStage& of = context_.stages[stage];
    Result<int32_t> count = admin_->PartitionCount(of.changelog_topic);
    if (count.ok() && stage > 0) {
      JobInput& input = context_.inputs[of.input];
      count = admin_->PartitionCount(input.topic);
      if (count.ok()) input.partition_count = *count;
    }
    if (count.status().code() == Code::kNotFound) return NothingCommitted();
    RETURN_IF_ERROR(count.status());
  }
  return {};
}

Status Saver::NothingCommitted() const {
  return FailedPrecondition(
      fmt::format("job {} has not committed anything yet", context_.options.job_name));
}

Status Saver::ForEachRecord(const kafka::TopicPartition& partition,
                            int64_t offset,
                            const std::function<Status(const kafka::Record&)>& visit) {
  return ScanPartition(*reader_,
                       partition,
                       offset,
                       stop_,
                       [&visit](const kafka::Record& record) -> Result<bool> {
                         RETURN_IF_ERROR(visit(record));
                         return true;
                       })
      .status();
}

Status Saver::CheckJob(const JobRecord& job) const {
  bool is_same = job.inputs.size() == context_.inputs.size();
  for (size_t i = 0; is_same && i < job.inputs.size(); ++i)
    is_same = job.inputs[i].topic == context_.inputs[i].topic;
  if (is_same) return {};
  return FailedPrecondition(fmt::format(
      "job {} has read other topics than this file does: save it with the file it ran with",
      context_.options.job_name));
}

Result<Saver::Ends> Saver::EndsAtRest() {
  std::vector<kafka::TopicPartition> partitions;
  for (uint32_t stage = 0; stage < context_.stages.size(); ++stage) {
    const JobStage& of = context_.stages[stage];
    ASSIGN_OR_RETURN(const int32_t count, admin_->PartitionCount(of.changelog_topic));
    for (int32_t p = 0; p < count; ++p)
      partitions.push_back({of.changelog_topic, p});
    if (stage == 0) continue;
    for (int32_t p = 0; p < context_.stage_partition_count(stage); ++p)
      partitions.push_back({context_.inputs[of.input].topic, p});
  }
  Ends ends;
  const Status status =
      Persist({.waiting_for = "open_transactions", .timeout = kRestTimeout, .stop = stop_},
              [&]() -> Status {
                for (const kafka::TopicPartition& partition : partitions) {
                  ASSIGN_OR_RETURN(const auto all, admin_uncommitted_->QueryOffsets(partition));
                  ASSIGN_OR_RETURN(const auto committed, admin_->QueryOffsets(partition));
                  if (committed.end != all.end) return Unavailable("a transaction is open");
                  ends[partition] = all.end;
                }
                return {};
              });
  if (status.ok()) return ends;
  return status.WithContext(fmt::format("job {}", context_.options.job_name));
}

Status Saver::Run(const Clock& clock) {
  ASSIGN_OR_RETURN(const JobLookup found,
                   FindJob(*reader_, context_.stages.front().changelog_topic, stop_));
  if (!found.job) return NothingCommitted();
  const JobRecord& job = *found.job;
  RETURN_IF_ERROR(CheckJob(job));
  Ends before;
  const bool has_stages = context_.stages.size() > 1;
  if (has_stages) {
    ASSIGN_OR_RETURN(before, EndsAtRest());
  }
  RETURN_IF_ERROR(writer_.Begin({.id = MintUuid(),
                                 .job_name = context_.options.job_name,
                                 .taken_at_ms = clock.WallNow().time_since_epoch().count(),
                                 .fingerprint = context_.program->fingerprint(),
                                 .state_text = context_.program->state_text(),
                                 .job = job}));
  for (uint32_t stage = 0; stage < context_.stages.size(); ++stage) {
    ASSIGN_OR_RETURN(const int32_t count,
                     admin_->PartitionCount(context_.stages[stage].changelog_topic));
    for (int32_t p = 0; p < count; ++p)
      RETURN_IF_ERROR(SavePartition(stage, p));
  }
  if (has_stages) {
    ASSIGN_OR_RETURN(const Ends after, EndsAtRest());
    if (after != before) {
      return FailedPrecondition(fmt::format(
          "job {} is running, and has stages behind repartition topics: stop it first, so that "
          "all of them are saved as of the same moment",
          context_.options.job_name));
    }
  }
  return writer_.End();
}

Status Saver::SavePartition(uint32_t stage, int32_t partition) {
  const kafka::TopicPartition changelog{context_.stages[stage].changelog_topic, partition};
  std::map<uint8_t, Committed> committed;
  RETURN_IF_ERROR(
      ForEachRecord(changelog, kafka::kOffsetBeginning, [&](const kafka::Record& record) {
        return Apply(record, committed);
      }));
  for (size_t i = 0; i < context_.inputs.size(); ++i) {
    const JobInput& input = context_.inputs[i];
    if (input.stage != stage || partition >= input.partition_count) continue;
    const auto number = static_cast<uint8_t>(i);
    const Committed& of = committed[number];
    if (of.mark && of.mark->fingerprint != context_.program->fingerprint()) {
      return FailedPrecondition(
          fmt::format("job {} has run with other statements: save it with the file it ran with",
                      context_.options.job_name));
    }
    RETURN_IF_ERROR(
        SaveTask({.stage = stage, .input = number, .partition = partition, .mark = of.mark}, of));
  }
  return {};
}

Status Saver::SaveTask(const SavepointTask& task, const Committed& committed) {
  if (!task.mark && task.stage == 0) return {};
  RETURN_IF_ERROR(writer_.BeginTask(task));
  for (const auto& [key, value] : committed.state)
    RETURN_IF_ERROR(writer_.AddKey(ChangelogKind::kState, key, value));
  for (const auto& [key, value] : committed.times)
    RETURN_IF_ERROR(writer_.AddKey(ChangelogKind::kTime, key, value));
  if (task.stage == 0) return {};
  const kafka::TopicPartition topic{context_.inputs[task.input].topic, task.partition};
  return ForEachRecord(topic,
                       task.mark ? task.mark->position : kafka::kOffsetBeginning,
                       [&](const kafka::Record& record) -> Status {
                         return writer_.AddRecord(record.value.value_or(""));
                       });
}

}  // namespace

Status TakeSavepoint(JobContext& context,
                     const Clock& clock,
                     SavepointWriter& writer,
                     const std::stop_token& stop) {
  Saver saver(context, writer, stop);
  RETURN_IF_ERROR(saver.Open());
  return saver.Run(clock);
}

}  // namespace slipstream::runtime
