#include "processor/runtime/takeover.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log/log.h"
#include "processor/runtime/first_start.h"
#include "processor/runtime/source_bounds.h"
#include "processor/runtime/task_copy.h"
#include "processor/state/changelog.h"

namespace slipstream::runtime {
namespace {

constexpr std::chrono::milliseconds kOffsetsTimeout{1'000};
constexpr std::chrono::milliseconds kReadTimeout{100};
constexpr size_t kReadRecordsMax = 10'000;
// A mark that is not there after this long is looked for by asking whether anything can still come.
constexpr std::chrono::seconds kMarkPatience{2};

bool MayLoseRecords(const JobInput& input) {
  return input.spec != nullptr && input.spec->continue_on_data_loss;
}

}  // namespace

// A partition on its way to being a task.
struct Takeover::Pending {
  TaskId id;
  std::optional<OffsetMetadata> committed;  // none: the group has no offset
  int64_t position = 0;
  std::unique_ptr<kafka::PartitionQueue> queue;

  // The task itself, if it is still there; nothing of it is read then.
  std::unique_ptr<Task> kept;

  // The changelog so far.
  std::unique_ptr<TaskCopy> copy;  // set once it is being read
  size_t records_read = 0;         // of it, by this takeover
  bool is_reading = false;
  bool is_reading_job = false;  // of the first partition, for the job record alone
  SteadyTime reading_since;
  std::optional<int64_t> changelog_end;  // reached, with nothing after it so far
  std::optional<JobRecord> job;
  int64_t end = -1;
  uint64_t incarnation = 0;

  std::string name() const { return kafka::ToString(id.partition); }
  // null: none was read.
  const Mark* mark() const {
    return copy == nullptr || !copy->mark() ? nullptr : &copy->mark().value();
  }
  // What Kafka has recorded last; {0, 0}: nothing.
  MarkPair last_pair() const {
    if (kept != nullptr) return kept->committed();
    return mark() ? mark()->pair : MarkPair{};
  }
  MarkPair last_file_pair() const {
    if (kept != nullptr) return kept->file_pair();
    return mark() ? mark()->file_pair : MarkPair{};
  }
};

Takeover::Takeover(Parties parties,
                   std::vector<kafka::TopicPartition> partitions,
                   std::vector<std::unique_ptr<Task>> kept)
    : parties_(parties),
      context_(parties.shared.context),
      log_(log::Get("processor.takeover")),
      kept_(std::move(kept)) {
  for (kafka::TopicPartition& partition : partitions) {
    const std::optional<uint8_t> input = context_.InputOf(partition.topic);
    if (!input) continue;  // of a subscription of another job in the same group
    auto& pending = pending_.emplace_back(std::make_unique<Pending>());
    const JobInput& of = context_.inputs[*input];
    pending->id = {
        .input = *input, .stage = of.stage, .place = of.place, .partition = std::move(partition)};
  }
  // The first partition first: at a job's first start the others wait for what it mints.
  std::sort(pending_.begin(), pending_.end(), [](const auto& a, const auto& b) {
    return std::pair(a->id.input, a->id.partition.partition) <
           std::pair(b->id.input, b->id.partition.partition);
  });
}

Takeover::~Takeover() {
  parties_.changelog.Stop();
  for (const auto& pending : pending_)
    parties_.standbys.Return(pending->id.partition, std::move(pending->copy));
}

Result<bool> Takeover::Step() {
  switch (phase_) {
    case Phase::kOffsets: {
      Status status = ReadOffsets();
      if (status.code() == Code::kUnavailable) {
        waiting_for_ = "committed offsets: " + status.message();
        return false;
      }
      RETURN_IF_ERROR(status);
      FindKept();
      phase_ = Phase::kStarts;
      break;
    }
    case Phase::kStarts: {
      Status status = ResolveStarts();
      if (status.code() == Code::kUnavailable) {
        waiting_for_ = "partition offsets: " + status.message();
        return false;
      }
      RETURN_IF_ERROR(status);
      phase_ = Phase::kChangelog;
      break;
    }
    case Phase::kChangelog: {
      if (restoring_ == pending_.size()) {
        parties_.changelog.Stop();
        phase_ = Phase::kFiles;
        break;
      }
      ASSIGN_OR_RETURN(bool is_restored, RestoreNext(*pending_[restoring_]));
      if (!is_restored) return false;
      ++restoring_;
      break;
    }
    case Phase::kFiles: {
      Status status = ResolveEnds();
      if (status.ok()) status = OpenFiles();
      if (status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded) {
        waiting_for_ = status.message();
        return status.WithContext("open files");
      }
      RETURN_IF_ERROR(status);
      status = MakeTasks();
      // What was half made cannot be made again from here.
      if (status.code() == Code::kUnavailable) return Aborted(status.message());
      RETURN_IF_ERROR(status);
      phase_ = Phase::kReady;
      break;
    }
    case Phase::kReady:
      break;
  }
  waiting_for_.clear();
  return phase_ == Phase::kReady;
}

std::vector<std::unique_ptr<Task>> Takeover::TakeTasks() {
  return std::move(tasks_);
}

std::vector<std::unique_ptr<Task>> Takeover::TakeKept() {
  for (const auto& pending : pending_) {
    if (pending->kept != nullptr) kept_.push_back(std::move(pending->kept));
  }
  return std::move(kept_);
}

// ---- Offsets ----

Status Takeover::ReadOffsets() {
  std::vector<kafka::TopicPartition> partitions;
  for (const auto& pending : pending_)
    partitions.push_back(pending->id.partition);
  if (partitions.empty()) return {};
  ASSIGN_OR_RETURN(std::vector<kafka::PartitionOffset> offsets,
                   parties_.consumer.Committed(partitions, kOffsetsTimeout));
  for (const auto& pending : pending_) {
    auto found = std::find_if(offsets.begin(), offsets.end(), [&](const auto& offset) {
      return offset.partition == pending->id.partition;
    });
    if (found == offsets.end()) continue;
    Result<OffsetMetadata> metadata = ParseOffsetMetadata(found->metadata);
    if (!metadata.ok()) {
      return FailedPrecondition(fmt::format(
          "{}: group {} has an offset that this job did not commit ({}); start it with --fresh, or "
          "under another name",
          pending->name(),
          context_.group_id,
          metadata.error().message()));
    }
    pending->committed = *metadata;
    pending->position = found->offset;
  }
  return {};
}

// Nobody has committed for these since they were set aside: they are what the changelog would give.
void Takeover::FindKept() {
  for (const auto& pending : pending_) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& task) {
      return task->id().partition == pending->id.partition && pending->committed &&
             pending->committed->pair == task->committed();
    });
    if (found == kept_.end()) continue;
    pending->kept = std::move(*found);
    kept_.erase(found);
  }
}

Status Takeover::ResolveStarts() {
  std::vector<kafka::PartitionOffset> positions;
  for (const auto& pending : pending_) {
    RETURN_IF_ERROR(ResolveStart(*pending));
    positions.push_back({.partition = pending->id.partition, .offset = pending->position});
  }
  ASSIGN_OR_RETURN(auto queues, parties_.consumer.Assign(positions));
  for (size_t i = 0; i < pending_.size(); ++i)
    pending_[i]->queue = std::move(queues[i]);
  return {};
}

Status Takeover::ResolveStart(Pending& pending) {
  const JobInput& input = context_.inputs[pending.id.input];
  if (pending.id.partition.partition >= input.partition_count) {
    return FailedPrecondition(fmt::format(
        "{}: the topic has grown while the job was running; start it again", pending.name()));
  }
  ASSIGN_OR_RETURN(kafka::Admin::OffsetRange range,
                   parties_.admin.QueryOffsets(pending.id.partition));
  if (!pending.committed) {
    if (input.spec == nullptr) {
      pending.position = range.begin;  // of a repartition topic everything counts
      return {};
    }
    ASSIGN_OR_RETURN(pending.position,
                     StartOffset(*input.spec, parties_.admin, pending.id.partition, range));
    return {};
  }
  if (pending.committed->is_done) return {};
  if (pending.position > range.end) return CheckEnd(pending);
  if (pending.position >= range.begin) return {};
  const std::string message = fmt::format(
      "{}: the log begins at offset={}, behind the committed offset={}: records were lost before "
      "they were read",
      pending.name(),
      range.begin,
      pending.position);
  if (!MayLoseRecords(input)) {
    return FailedPrecondition(message + " (scan.on-data-loss = continue goes on without them)");
  }
  log_->warn("records_lost {}", log::Quoted(message));
  pending.position = range.begin;
  return {};
}

// A log that ends before the position: its last records were lost, with a broker's disk or a leader
// that lagged behind. What is still open counts as there.
Status Takeover::CheckEnd(Pending& pending) {
  ASSIGN_OR_RETURN(kafka::Admin::OffsetRange range,
                   parties_.admin_uncommitted.QueryOffsets(pending.id.partition));
  if (pending.position <= range.end) return {};
  const std::string message = fmt::format(
      "{}: the log ends at offset={}, before the committed offset={}: it has lost records that "
      "were read",
      pending.name(),
      range.end,
      pending.position);
  if (!MayLoseRecords(context_.inputs[pending.id.input])) {
    return FailedPrecondition(message + " (scan.on-data-loss = continue goes on at its end)");
  }
  log_->warn("records_lost {}", log::Quoted(message));
  pending.position = range.end;
  return {};
}

// ---- The changelog ----

kafka::TopicPartition Takeover::ChangelogOf(const Pending& pending) const {
  if (pending.is_reading_job) return {context_.stages.front().changelog_topic, 0};
  return {context_.stages[pending.id.stage].changelog_topic, pending.id.partition.partition};
}

std::unique_ptr<TaskCopy> Takeover::NewCopy(const Pending& pending) const {
  return std::make_unique<TaskCopy>(
      pending.id.input, context_.options.scratch, parties_.shared.clock.WallNow());
}

// A standby's that has not read on behind what is committed, or else an empty one.
std::unique_ptr<TaskCopy> Takeover::FindCopy(const Pending& pending) {
  std::unique_ptr<TaskCopy> copy = parties_.standbys.Take(pending.id.partition);
  if (copy != nullptr && pending.committed) {
    const MarkPair& committed = pending.committed->pair;
    if (!copy->mark() || copy->mark()->pair.epoch < committed.epoch || copy->IsAt(committed))
      return copy;
  }
  return NewCopy(pending);
}

Status Takeover::BeginReading(Pending& pending) {
  if (pending.copy == nullptr) pending.copy = FindCopy(pending);
  const int64_t begin =
      pending.is_reading_job ? kafka::kOffsetBeginning : pending.copy->next_offset();
  RETURN_IF_ERROR(parties_.changelog.Start(ChangelogOf(pending), begin));
  pending.is_reading = true;
  pending.changelog_end.reset();
  pending.reading_since = parties_.shared.clock.Now();
  return {};
}

Result<bool> Takeover::RestoreNext(Pending& pending) {
  if (pending.kept != nullptr) {
    log_->info("task_kept task={} mark={}", pending.name(), ToString(pending.kept->committed()));
    pending.job = pending.kept->job();
    return true;
  }
  if (!pending.is_reading) {
    RETURN_IF_ERROR(BeginReading(pending));
    if (pending.committed && pending.copy->IsAt(pending.committed->pair)) {
      return FinishRestored(pending);
    }
  }
  auto batch = parties_.changelog.Read(kReadRecordsMax, kReadTimeout);
  for (const kafka::Record& record : batch->records()) {
    RETURN_IF_ERROR(TakeRecord(pending, record).WithContext(pending.name() + ": changelog"));
    if (pending.committed && pending.copy->IsAt(pending.committed->pair)) {
      // What comes after the mark is nobody's yet.
      return FinishRestored(pending);
    }
  }
  if (!batch->empty()) pending.copy->Hear(parties_.shared.clock.WallNow());
  if (!batch->error().ok()) {
    waiting_for_ = "the changelog: " + batch->error().message();
    if (batch->error().code() != Code::kOutOfRange) return false;
    const bool is_at_begin =
        pending.is_reading_job || pending.copy->next_offset() == kafka::kOffsetBeginning;
    if (is_at_begin) return batch->error();
    // The log is not what it was when the copy was read.
    pending.copy = NewCopy(pending);
    pending.is_reading = false;
    return false;
  }
  // The end is told once, when it is reached.
  if (!batch->empty()) pending.changelog_end = batch->end_offset();
  if (!pending.changelog_end) {
    waiting_for_ = "the changelog of " + pending.name();
    return false;
  }
  return OnChangelogEnd(pending, *pending.changelog_end);
}

Status Takeover::TakeRecord(Pending& pending, const kafka::Record& record) {
  ++pending.records_read;
  if (!pending.is_reading_job) {
    RETURN_IF_ERROR(pending.copy->Take(record));
    const Mark* mark = pending.mark();
    if (mark == nullptr || !pending.committed ||
        mark->pair.epoch <= pending.committed->pair.epoch) {
      return {};
    }
    return Aborted(fmt::format("mark {} is newer than the committed {}: somebody else owns it",
                               ToString(mark->pair),
                               ToString(pending.committed->pair)));
  }
  if (!record.key) return DataLoss(fmt::format("offset={}: a record without key", record.offset));
  ASSIGN_OR_RETURN(ChangelogKey key, ParseChangelogKey(*record.key));
  if (key.kind != ChangelogKind::kJob || key.input != 0 || !record.value) return {};
  ASSIGN_OR_RETURN(pending.job, ParseJobRecord(*record.value));
  return {};
}

Result<bool> Takeover::OnChangelogEnd(Pending& pending, int64_t end_offset) {
  if (!pending.committed) return FinishFresh(pending);
  // The end before the mark means wait: the broker answers a commit before it has written the
  // transaction's markers, so offsets can be stable while the changelog is not.
  waiting_for_ = fmt::format(
      "mark {} in the changelog of {}", ToString(pending.committed->pair), pending.name());
  if (parties_.shared.clock.Now() - pending.reading_since < kMarkPatience) return false;
  pending.reading_since = parties_.shared.clock.Now();
  const kafka::TopicPartition partition = ChangelogOf(pending);
  ASSIGN_OR_RETURN(kafka::Admin::OffsetRange range,
                   parties_.admin_uncommitted.QueryOffsets(partition));
  if (range.end > end_offset) return false;  // something is still open
  return FailedPrecondition(
      fmt::format("{}: group {} is at mark {}, which is not in {}: the changelog was lost. A run "
                  "with --fresh starts the job anew",
                  pending.name(),
                  context_.group_id,
                  ToString(pending.committed->pair),
                  kafka::ToString(partition)));
}

Result<bool> Takeover::FinishFresh(Pending& pending) {
  if (const Mark* mark = pending.mark()) {
    return FailedPrecondition(fmt::format(
        "{}: the changelog holds mark {}, but group {} has no offset: its offsets expired or were "
        "deleted, or the source topic was recreated. A run with --fresh starts the job anew",
        pending.name(),
        ToString(mark->pair),
        context_.group_id));
  }
  if (!pending.job) pending.job = pending.copy->job();
  const bool is_first = pending.id.input == 0 && pending.id.partition.partition == 0;
  if (is_first && !pending.job) {
    ASSIGN_OR_RETURN(pending.job, MintJobRecord(context_, parties_.admin));
    minted_ = pending.job;
  }
  if (!pending.job && minted_) pending.job = minted_;
  if (!pending.job) {
    // Whoever owns the first partition mints the record and commits it at once.
    waiting_for_ = "the first partition's first commit";
    if (!pending.is_reading_job) {
      pending.is_reading_job = true;
      pending.is_reading = false;
    }
    return false;
  }
  RETURN_IF_ERROR(CheckJobRecord(context_, *pending.job, pending.id));
  log_->info(
      "task_started task={} offset={} job={}", pending.name(), pending.position, pending.job->uuid);
  return true;
}

Result<bool> Takeover::FinishRestored(Pending& pending) {
  const Mark& mark = *pending.mark();
  pending.job = pending.copy->job();
  if (!pending.job) return DataLoss(pending.name() + ": the changelog has no job record");
  RETURN_IF_ERROR(CheckJobRecord(context_, *pending.job, pending.id));
  if (mark.fingerprint != context_.program->fingerprint()) {
    return FailedPrecondition(
        fmt::format("{}: the job's statements have changed since it committed its state; run it "
                    "with --fresh, or under another name",
                    pending.name()));
  }
  const JobInput& input = context_.inputs[pending.id.input];
  if (mark.is_done && input.spec != nullptr && !input.spec->is_bounded) {
    return FailedPrecondition(fmt::format(
        "{}: the job has ended its bounded input and cannot go on unbounded; run it with --fresh",
        pending.name()));
  }
  if (mark.position > pending.position) {
    return Aborted(fmt::format("{}: mark at offset={}, group at offset={}",
                               pending.name(),
                               mark.position,
                               pending.position));
  }
  log_->info("task_restored task={} mark={} offset={} changes={} records_read={}",
             pending.name(),
             ToString(mark.pair),
             pending.position,
             pending.copy->state().changes(),
             pending.records_read);
  return true;
}

// ---- Files ----

Status Takeover::ResolveEnds() {
  for (const auto& pending : pending_) {
    const JobInput& input = context_.inputs[pending->id.input];
    if (input.spec == nullptr || !input.spec->is_bounded || pending->kept != nullptr) continue;
    ASSIGN_OR_RETURN(
        pending->end,
        BoundedEnd(context_, parties_.admin, *pending->job, pending->copy->mark(), pending->id));
  }
  return {};
}

Status Takeover::OpenFiles() {
  if (context_.dfs_targets.empty()) {
    // No master that gives out numbers; one more than the last is as good where nobody else asks.
    // After an abort the number comes again: with other contents, but nobody has kept the first.
    for (const auto& pending : pending_)
      pending->incarnation = pending->last_pair().incarnation + 1;
    return {};
  }
  dfs::AppendStore& store = *context_.store;
  std::vector<dfs::AppenderCommit> commits;
  for (const auto& pending : pending_) {
    const std::string owner = AppenderOwner(pending->job->uuid, pending->id);
    ASSIGN_OR_RETURN(dfs::AppenderState state, store.AcquireAppender(owner));
    pending->incarnation = state.incarnation;
    const MarkPair last = pending->last_file_pair();
    const dfs::EpochPair wanted{.epoch = last.epoch, .incarnation = last.incarnation};
    if (state.committed == wanted) continue;
    const bool is_prepared =
        std::find(state.prepared.begin(), state.prepared.end(), wanted) != state.prepared.end();
    if (state.committed.epoch < wanted.epoch && is_prepared) {
      commits.push_back({.owner = owner, .pair = wanted});
      continue;
    }
    return FailedPrecondition(fmt::format(
        "{}: kafka has recorded file epoch {}, but the master has committed {}/{} of {} and not "
        "prepared it: one of the two was restored from an older copy",
        pending->name(),
        ToString(last),
        state.committed.epoch,
        state.committed.incarnation,
        owner));
  }
  if (commits.empty()) return {};
  Result<std::vector<uint64_t>> dropped = store.Commit(commits);
  return dropped.status();
}

std::unique_ptr<TaskProgram> Takeover::MakeProgram(const TaskId& id) const {
  const JobProgram& program = *context_.program;
  const JobInput& input = context_.inputs[id.input];
  if (!input.source) return program.MakeStageTask(id.stage, id.partition.partition);
  return program.MakeSourceTask(*input.source, id.partition.topic, id.partition.partition);
}

Result<std::unique_ptr<Task>> Takeover::MakeTask(Pending& pending) const {
  if (pending.kept != nullptr) {
    pending.kept->Resume(std::move(pending.queue), pending.position, pending.incarnation);
    return std::move(pending.kept);
  }
  std::unique_ptr<TaskProgram> program = MakeProgram(pending.id);
  const auto restore_key = [&](std::string_view key, std::string_view value) {
    return program->Restore(key, value);
  };
  const std::unique_ptr<TaskCopy> copy = std::move(pending.copy);
  RETURN_IF_ERROR(copy->state().ForEach(restore_key).WithContext(pending.name()));
  copy->state().Clear();
  if (context_.options.scratch != nullptr) {
    RETURN_IF_ERROR(context_.options.scratch->status());
  }
  TaskRestore restore{.job = *pending.job,
                      .mark = copy->mark(),
                      .position = pending.position,
                      .end = pending.end,
                      .incarnation = pending.incarnation,
                      .times = std::move(copy->times())};
  return Task::Create(parties_.shared,
                      pending.id,
                      std::move(restore),
                      std::move(program),
                      std::move(pending.queue));
}

Status Takeover::MakeTasks() {
  for (const auto& pending : pending_) {
    ASSIGN_OR_RETURN(std::unique_ptr<Task> task, MakeTask(*pending));
    tasks_.push_back(std::move(task));
  }
  return {};
}

}  // namespace slipstream::runtime
