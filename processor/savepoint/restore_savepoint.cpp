#include "processor/savepoint/restore_savepoint.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/partition_reader.h"
#include "common/log/log.h"
#include "processor/runtime/changelog_scan.h"
#include "processor/runtime/job_start.h"
#include "processor/runtime/patience.h"
#include "processor/runtime/time_board.h"
#include "processor/runtime/transaction_client.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptTimeout{10'000};
// Each gives the transaction four times as long, if that is what it lacked.
constexpr int kAttemptsMax = 6;
// Of the commit that every task then has behind it.
constexpr MarkPair kFirstPair{.epoch = 1, .incarnation = 1};

// Of TransactionalProducer: the transaction has come to nothing, and another may not.
bool IsTransactionFailure(const Status& status) {
  return status.code() == Code::kAborted || status.code() == Code::kFailedPrecondition ||
         status.code() == Code::kDeadlineExceeded;
}

// The first line in which two texts differ: "… instead of …".
std::string FirstDifference(std::string_view now, std::string_view saved) {
  const auto take_line = [](std::string_view& rest) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  while (!now.empty() || !saved.empty()) {
    const std::string_view now_line = take_line(now);
    const std::string_view saved_line = take_line(saved);
    if (now_line == saved_line) continue;
    const auto name = [](std::string_view line) {
      return line.empty() ? std::string("nothing") : fmt::format("\"{}\"", line);
    };
    return fmt::format("{} instead of {}", name(now_line), name(saved_line));
  }
  return "settings";
}

Status CheckSame(const JobContext& context, const SavepointHeader& saved) {
  if (saved.fingerprint != context.program->fingerprint()) {
    return FailedPrecondition(
        fmt::format("its state is another than the job's: the job has {}",
                    FirstDifference(context.program->state_text(), saved.state_text)));
  }
  if (saved.job.inputs.size() != context.inputs.size()) {
    return FailedPrecondition(fmt::format("its job read {} topics, this one reads {}",
                                          saved.job.inputs.size(),
                                          context.inputs.size()));
  }
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const JobInput& input = context.inputs[i];
    const JobRecord::Input& of = saved.job.inputs[i];
    const bool is_own = input.spec == nullptr || input.spec->is_pulled();  // named after the job
    if (!is_own && input.topic != of.topic) {
      return FailedPrecondition(
          fmt::format("its job read topic {} where this one reads {}", of.topic, input.topic));
    }
    if (is_own && static_cast<size_t>(input.partition_count) != of.ends.size()) {
      return FailedPrecondition(fmt::format(
          "its stages or folders had {} tasks, and this job's have {}: topics have grown since, or "
          "'scan.parallelism' has changed",
          of.ends.size(),
          input.partition_count));
    }
  }
  return {};
}

// Puts what a savepoint holds into the running transaction.
class Seeder final : public SavepointReader::Visitor {
 public:
  Seeder(const JobContext& context, TransactionClient& transactions, kafka::Admin& admin)
      : context_(context), transactions_(transactions), admin_(admin) {}

  Status AddJob(const SavepointHeader& saved);
  Status OnTask(const SavepointTask& task) override;
  Status OnKey(ChangelogKind kind, std::string_view key, std::string_view value) override;
  Status OnRecord(std::string_view value) override;
  // After the last task: marks stand behind all that belongs to them.
  Status AddMarks();
  const std::vector<kafka::PartitionOffset>& offsets() const { return offsets_; }

 private:
  Status Produce(size_t output, const kafka::OutgoingRecord& record);
  Status Put(const SavepointTask& task, const ChangelogKey& key, std::string_view value);
  Status AddTime(const SavepointTask& task);

  const JobContext& context_;
  TransactionClient& transactions_;
  kafka::Admin& admin_;
  std::string job_record_;
  std::vector<SavepointTask> tasks_;
  std::vector<kafka::PartitionOffset> offsets_;
};

Status Seeder::Produce(size_t output, const kafka::OutgoingRecord& record) {
  return transactions_.producer().Produce(*transactions_.topics()[output], record);
}

Status Seeder::Put(const SavepointTask& task, const ChangelogKey& key, std::string_view value) {
  const std::string bytes = EncodeChangelogKey(key);
  return Produce(context_.stages[task.stage].changelog_output,
                 {.key = bytes, .value = value, .partition = task.partition});
}

// The first partition's says whether a job has begun, and with which savepoint.
Status Seeder::AddJob(const SavepointHeader& saved) {
  JobRecord job{.uuid = MintUuid(), .inputs = saved.job.inputs, .savepoint = saved.id};
  for (size_t i = 0; i < job.inputs.size(); ++i)
    job.inputs[i].topic = context_.inputs[i].topic;
  job_record_ = EncodeJobRecord(job);
  return Put({}, {.kind = ChangelogKind::kJob, .input = 0, .state_key = {}}, job_record_);
}

Status Seeder::OnTask(const SavepointTask& task) {
  const bool is_known = task.input < context_.inputs.size() &&
                        context_.inputs[task.input].stage == task.stage &&
                        task.partition < context_.inputs[task.input].partition_count;
  if (!is_known) {
    return InvalidArgument(
        fmt::format("it has a task of partition {} of input {}, which this job's "
                    "topics do not have",
                    task.partition,
                    task.input));
  }
  tasks_.push_back(task);
  if (!task.mark) return {};
  return Put(
      task, {.kind = ChangelogKind::kJob, .input = task.input, .state_key = {}}, job_record_);
}

Status Seeder::OnKey(ChangelogKind kind, std::string_view key, std::string_view value) {
  const SavepointTask& task = tasks_.back();
  return Put(task, {.kind = kind, .input = task.input, .state_key = key}, value);
}

Status Seeder::OnRecord(std::string_view value) {
  const SavepointTask& task = tasks_.back();
  if (task.stage == 0) return DataLoss("savepoint: records on their way to a source's task");
  return Produce(context_.stages[task.stage].repartition_output,
                 {.value = value, .partition = task.partition});
}

Status Seeder::AddTime(const SavepointTask& task) {
  const std::string key = EncodeTimeKey({.input = task.input, .partition = task.partition});
  const std::string time =
      EncodeTaskTime({.watermark = task.mark->watermark, .is_idle = task.mark->is_idle});
  return Produce(context_.time_output, {.key = key, .value = time, .partition = 0});
}

Status Seeder::AddMarks() {
  for (SavepointTask& task : tasks_) {
    if (!task.mark) continue;
    Mark& mark = *task.mark;
    const kafka::TopicPartition partition{context_.inputs[task.input].topic, task.partition};
    if (task.stage > 0) {
      // The records on their way are the first of the job's own topic.
      ASSIGN_OR_RETURN(const auto range, admin_.QueryOffsets(partition));
      mark.position = range.begin;
    } else {
      RETURN_IF_ERROR(AddTime(task));
    }
    mark.pair = kFirstPair;
    mark.file_pair = {};
    mark.host.clear();
    mark.open_files.clear();
    RETURN_IF_ERROR(Put(task,
                        {.kind = ChangelogKind::kMark, .input = task.input, .state_key = {}},
                        EncodeMark(mark)));
    offsets_.push_back(
        {.partition = partition,
         .offset = mark.position,
         .metadata = EncodeOffsetMetadata({.pair = mark.pair, .is_done = mark.is_done})});
  }
  return {};
}

class Restorer {
 public:
  Restorer(JobContext& context,
           std::function<Result<std::unique_ptr<SavepointReader>>()> open,
           std::stop_token stop)
      : context_(context),
        open_(std::move(open)),
        stop_(std::move(stop)),
        log_(log::Get("processor.savepoint")),
        transactions_(context, context.options.job_name + "-savepoint", [] {}) {}

  Status Run();

 private:
  Status Open();
  // True: done. False: the transaction failed with last_error_.
  Result<bool> Attempt();
  // What the job has begun with; none once nobody can be about to say.
  Result<std::optional<JobRecord>> ReadJob();
  Status Seed(SavepointReader& reader, const SavepointHeader& saved);

  JobContext& context_;
  const std::function<Result<std::unique_ptr<SavepointReader>>()> open_;
  const std::stop_token stop_;
  const std::shared_ptr<spdlog::logger> log_;
  TransactionClient transactions_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::Admin> admin_uncommitted_;  // sees all records
  std::unique_ptr<kafka::PartitionReader> reader_;
  Status last_error_;
};

Status Restorer::Open() {
  const kafka::Properties& properties = context_.source_properties;
  ASSIGN_OR_RETURN(admin_, kafka::Admin::Create({.properties = properties}));
  ASSIGN_OR_RETURN(admin_uncommitted_,
                   kafka::Admin::Create({.properties = properties, .sees_uncommitted = true}));
  ASSIGN_OR_RETURN(reader_, kafka::PartitionReader::Create({.properties = properties}));
  return {};
}

Status Restorer::Run() {
  RETURN_IF_ERROR(PrepareTopics(context_, stop_));
  RETURN_IF_ERROR(Open());
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ASSIGN_OR_RETURN(const bool is_done, Attempt());
    if (is_done) return {};
    log_->warn("savepoint_attempt_failed error={}", log::Quoted(last_error_.ToString()));
  }
  return last_error_.WithContext("restore the savepoint");
}

Result<bool> Restorer::Attempt() {
  // Whoever else is at it is fenced, and what it left half done is over.
  RETURN_IF_ERROR(Persist({.waiting_for = "transactions",
                           .timeout = context_.options.connect_timeout,
                           .stop = stop_,
                           .transient = Code::kAborted},
                          [&] { return transactions_.Open(kAttemptTimeout); }));
  ASSIGN_OR_RETURN(const std::unique_ptr<SavepointReader> reader, open_());
  ASSIGN_OR_RETURN(const SavepointHeader saved, reader->ReadHeader());
  ASSIGN_OR_RETURN(const std::optional<JobRecord> job, ReadJob());
  if (job && job->savepoint == saved.id) {
    log_->info("savepoint_in_use id={} job={}", saved.id, context_.options.job_name);
    return true;
  }
  if (job) {
    return FailedPrecondition(
        fmt::format("job {} has committed state of its own; with --fresh it is discarded first, "
                    "under another name both are kept",
                    context_.options.job_name));
  }
  RETURN_IF_ERROR(CheckSame(context_, saved));
  const SteadyTime begun = SystemClock::Get().Now();
  last_error_ = Seed(*reader, saved);
  const auto elapsed = std::chrono::duration_cast<milliseconds>(SystemClock::Get().Now() - begun);
  transactions_.OnTransactionOver(elapsed);
  if (last_error_.ok()) return true;
  (void)transactions_.producer().Abort();  // the next attempt's producer would do it as well
  transactions_.Discard();
  if (!IsTransactionFailure(last_error_)) return last_error_;
  return false;
}

Result<std::optional<JobRecord>> Restorer::ReadJob() {
  const kafka::TopicPartition partition{context_.stages.front().changelog_topic, 0};
  std::optional<JobRecord> job;
  const auto read = [&]() -> Status {
    ASSIGN_OR_RETURN(const auto all, admin_uncommitted_->QueryOffsets(partition));
    ASSIGN_OR_RETURN(JobLookup found, FindJob(*reader_, partition.topic, stop_));
    job = std::move(found.job);
    if (job || found.end >= all.end) return {};
    return Unavailable("a transaction is open in " + kafka::ToString(partition));
  };
  RETURN_IF_ERROR(Persist({.waiting_for = "open_transactions",
                           .timeout = context_.options.connect_timeout,
                           .stop = stop_},
                          read));
  return job;
}

Status Restorer::Seed(SavepointReader& reader, const SavepointHeader& saved) {
  kafka::TransactionalProducer& producer = transactions_.producer();
  RETURN_IF_ERROR(producer.Begin());
  Seeder seeder(context_, transactions_, *admin_uncommitted_);
  RETURN_IF_ERROR(seeder.AddJob(saved));
  ASSIGN_OR_RETURN(const SavepointCounts counts, reader.ReadTasks(seeder));
  RETURN_IF_ERROR(seeder.AddMarks());
  RETURN_IF_ERROR(producer.SendOffsets(seeder.offsets(),
                                       kafka::GroupMetadata::OfEmptyGroup(context_.group_id)));
  RETURN_IF_ERROR(producer.Commit());
  log_->info("savepoint_restored id={} of={} job={} tasks={} keys={} records={}",
             saved.id,
             saved.job_name,
             context_.options.job_name,
             counts.tasks,
             counts.keys,
             counts.records);
  return {};
}

}  // namespace

Status RestoreSavepoint(JobContext& context,
                        const std::function<Result<std::unique_ptr<SavepointReader>>()>& open,
                        const std::stop_token& stop) {
  return Restorer(context, open, stop).Run();
}

}  // namespace slipstream::runtime
