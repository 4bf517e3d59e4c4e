#include "processor/runtime/task.h"

#include <unistd.h>

#include <fmt/format.h>

#include "common/failpoint/failpoint.h"
#include "common/log/log.h"
#include "processor/runtime/batch_trace.h"
#include "processor/runtime/dead_letter.h"
#include "processor/runtime/time_board.h"
#include "processor/state/changelog.h"

namespace slipstream::runtime {
namespace {

// Enough that the cost of a batch is spread thin, small enough that commits are punctual.
constexpr size_t kBatchRecordsMax = 4096;

// Puts changed keys into the changelog partition of the task.
class ChangelogWriter final : public StateWriter {
 public:
  ChangelogWriter(StagedRecords& staged, size_t output, const TaskId& id, ChangelogKind kind)
      : staged_(staged),
        output_(output),
        partition_(id.partition.partition),
        key_(EncodeChangelogKey({.kind = kind, .input = id.input})) {}

  void Put(std::string_view key, std::string_view value) override {
    staged_.Add(output_, partition_, FullKey(key), value);
  }
  void Delete(std::string_view key) override {
    staged_.Add(output_, partition_, FullKey(key), std::nullopt);
  }

 private:
  std::string_view FullKey(std::string_view key) {
    key_.resize(kChangelogKeyPrefixBytes);
    return key_ += key;
  }

  StagedRecords& staged_;
  const size_t output_;
  const int32_t partition_;
  std::string key_;
};

InputRecord::TimestampType TimestampTypeOf(const kafka::Record& record) {
  switch (record.timestamp_type) {
    case kafka::Record::TimestampType::kCreateTime:
      return InputRecord::TimestampType::kCreateTime;
    case kafka::Record::TimestampType::kLogAppendTime:
      return InputRecord::TimestampType::kLogAppendTime;
    case kafka::Record::TimestampType::kNone:
      break;
  }
  return InputRecord::TimestampType::kNone;
}

}  // namespace

std::string AppenderOwner(const std::string& job_uuid, const TaskId& id) {
  const std::string input = id.place == 0 ? "" : id.partition.topic + "/";
  return fmt::format("{}/{}/{}{}", job_uuid, id.stage, input, id.partition.partition);
}

Task::Task(const Shared& shared,
           TaskId id,
           TaskRestore restore,
           std::unique_ptr<TaskProgram> program)
    : shared_(shared),
      id_(std::move(id)),
      input_(shared.context.inputs[id_.input]),
      job_(std::move(restore.job)),
      log_(log::Get("processor.task")),
      program_(std::move(program)),
      position_(restore.position),
      end_(restore.end),
      to_exchanges_(
          shared.context, {.input = id_.input, .partition = id_.partition.partition}, staged_),
      namer_(id_.stage,
             id_.place,
             id_.partition.partition,
             job_.uuid,
             restore.mark ? restore.mark->next_file_number : 0),
      partition_commits_(
          shared.context.file_targets(),
          restore.mark ? restore.mark->open_partitions : std::vector<OpenPartition>()),
      tells_visible_time_(input_.writes_timed_folders &&
                          !shared.context.shared_timed_sinks().empty()),
      dead_letter_limit_(input_.spec == nullptr ? 1 : input_.spec->dead_letter_max_share),
      incarnation_(restore.incarnation),
      is_new_(!restore.mark),
      // A first commit at once pins the start position and the job's identity.
      is_dirty_(!restore.mark) {
  const JobContext& context = shared.context;
  std::vector<OpenFile> open_files;
  if (restore.mark) {
    const Mark& mark = *restore.mark;
    committed_ = mark.pair;
    file_pair_ = mark.file_pair;
    is_ended_ = mark.is_done;
    // Idle until it has looked, it would be past what has come since; whoever waits must hear.
    is_dirty_ = mark.is_idle;
    // An end that was found just now is pinned by a commit before anything is read; a next run
    // would find another.
    if (restore.end != mark.end) is_dirty_ = true;
    open_files = mark.open_files;
    committed_position_ = mark.position;
    // Also when there is none yet: of several tables one may have one.
    if (input_.spec != nullptr) program_->RestoreWatermark(mark.watermark);
  }
  if (input_.spec != nullptr && input_.spec->idle_timeout_ms) {
    idle_timer_.emplace(std::chrono::milliseconds(*input_.spec->idle_timeout_ms));
  }
  if (!context.dfs_targets.empty()) {
    dfs_files_ =
        std::make_unique<DfsFiles>(DfsFiles::Options{.owner = AppenderOwner(job_.uuid, id_),
                                                     .targets = context.dfs_targets,
                                                     .now_ms = NowMs()},
                                   shared.compressor,
                                   namer_,
                                   open_files);
  }
  if (!context.local_targets.empty()) {
    local_files_ = std::make_unique<LocalFiles>(
        LocalFiles::Options{.targets = context.local_targets, .now_ms = NowMs()},
        namer_,
        open_files);
  }
}

Task::~Task() = default;

Result<std::unique_ptr<Task>> Task::Create(const Shared& shared,
                                           TaskId id,
                                           TaskRestore restore,
                                           std::unique_ptr<TaskProgram> program,
                                           std::unique_ptr<kafka::PartitionQueue> queue) {
  if (restore.mark && !restore.mark->host.empty() && restore.mark->host != shared.context.host) {
    return FailedPrecondition(fmt::format(
        "{}: its local files are on host {}, this is {}: a job with local file sinks stays on one "
        "host",
        kafka::ToString(id.partition),
        restore.mark->host,
        shared.context.host));
  }
  const std::unordered_map<std::string, std::string> times = std::move(restore.times);
  std::unique_ptr<Task> task(
      new Task(shared, std::move(id), std::move(restore), std::move(program)));
  task->queue_ = std::move(queue);
  const bool has_committed = task->committed_ != MarkPair{};
  RETURN_IF_ERROR(task->RestoreTimes(times));
  // The takeover has made visible what the mark names.
  if (has_committed) task->committed_sink_time_ = task->SinkTime();
  if (task->local_files_ != nullptr) RETURN_IF_ERROR(task->local_files_->Restore());
  if (!task->is_ended_) RETURN_IF_ERROR(task->EndInputIfReached());
  return task;
}

Status Task::RestoreTimes(const std::unordered_map<std::string, std::string>& times) {
  if (input_.spec != nullptr) return {};
  exchanged_ =
      std::make_unique<ExchangeInput>(shared_.context.stages[id_.stage].exchanges, *program_);
  for (const auto& [key, value] : times) {
    RETURN_IF_ERROR(exchanged_->Restore(key, value).WithContext(kafka::ToString(id_.partition)));
  }
  exchanged_->FinishRestore();
  return {};
}

int64_t Task::NowMs() const {
  return shared_.clock.WallNow().time_since_epoch().count();
}

Result<size_t> Task::ReadBatch() {
  if (is_ended_) return size_t{0};
  if (input_.spec != nullptr && input_.spec->is_pulled()) return PullBatch();
  std::shared_ptr<const kafka::MessageBatch> batch = queue_->Read(kBatchRecordsMax);
  if (batch->empty()) {
    if (idle_timer_ && is_caught_up_) idle_timer_->OnEmptyRead(shared_.clock.Now());
    return size_t{0};
  }
  const SteadyTime begin = shared_.clock.Now();
  Status processed = ProcessRecords(batch);
  busy_time_ += shared_.clock.Now() - begin;
  RETURN_IF_ERROR(processed);
  if (!batch->error().ok()) {
    return batch->error().WithContext(
        fmt::format("{} offset={}", kafka::ToString(id_.partition), position_));
  }
  if (batch->end_offset()) {
    is_caught_up_ = true;
    // Behind the last record may lie a transaction's markers, which take offsets too.
    if (*batch->end_offset() > position_) position_ = *batch->end_offset();
  }
  RETURN_IF_ERROR(EndInputIfReached());
  return batch->records().size();
}

Result<size_t> Task::PullBatch() {
  const SteadyTime begin = shared_.clock.Now();
  const Result<TaskProgram::Pulled> pulled = program_->Pull(*this);
  const SteadyTime end = shared_.clock.Now();
  input_status_ = {};
  if (pulled.status().code() == Code::kUnavailable) {
    input_status_ = pulled.status();
    is_caught_up_ = false;  // nobody knows
    return size_t{0};
  }
  RETURN_IF_ERROR(pulled.status());
  if (pulled->has_changed) is_dirty_ = true;
  if (pulled->records == 0) {
    is_caught_up_ = pulled->is_caught_up;
    if (idle_timer_ && is_caught_up_) idle_timer_->OnEmptyRead(end);
    return size_t{0};
  }
  busy_time_ += end - begin;
  OnRecords();
  flows_.TakeIn(pulled->records, pulled->bytes);
  SLIPSTREAM_FAILPOINT_HIT("task.mid_batch");
  RETURN_IF_ERROR(TakeOutputError());
  RETURN_IF_ERROR(
      dead_letter_limit_.EndBatch(pulled->records).WithContext(kafka::ToString(id_.partition)));
  return static_cast<size_t>(pulled->records);
}

// There were some, in whatever way they came.
void Task::OnRecords() {
  is_dirty_ = true;
  is_caught_up_ = false;
  is_idle_ = false;
  if (idle_timer_) idle_timer_->Restart();
}

Status Task::ProcessRecords(const std::shared_ptr<const kafka::MessageBatch>& batch) {
  inputs_.clear();
  input_headers_.clear();
  size_t header_count = 0;
  for (const kafka::Record& record : batch->records())
    header_count += record.headers.size();
  input_headers_.reserve(header_count);  // spans into it must stay
  int64_t next = position_;
  for (const kafka::Record& record : batch->records()) {
    if (record.offset < next) {
      return Aborted(fmt::format(
          "{}: offset={} after position={}", kafka::ToString(id_.partition), record.offset, next));
    }
    if (end_ >= 0 && record.offset >= end_) {
      next = end_;
      break;
    }
    next = record.offset + 1;
    AddInput(record);
  }
  if (!inputs_.empty()) {
    OnRecords();
    flows_.TakeIn(inputs_);
    RETURN_IF_ERROR(GiveToProgram(batch));
    SLIPSTREAM_FAILPOINT_HIT("task.mid_batch");
    RETURN_IF_ERROR(TakeOutputError());
    RETURN_IF_ERROR(
        dead_letter_limit_.EndBatch(inputs_.size())
            .WithContext(fmt::format("{} offset={}", kafka::ToString(id_.partition), position_)));
  }
  if (!trace_.is_set()) trace_ = TraceOf(batch->records());
  position_ = next;
  return {};
}

void Task::AddInput(const kafka::Record& record) {
  const size_t begin = input_headers_.size();
  for (const kafka::Header& header : record.headers) {
    input_headers_.push_back({.name = header.name, .value = header.value});
  }
  inputs_.push_back({.key = record.key,
                     .value = record.value,
                     .offset = record.offset,
                     .timestamp_ms = record.timestamp_ms,
                     .timestamp_type = TimestampTypeOf(record),
                     .headers = std::span<const Header>(input_headers_).subspan(begin)});
}

Status Task::GiveToProgram(const std::shared_ptr<const kafka::MessageBatch>& batch) {
  if (exchanged_ == nullptr) return program_->Process(inputs_, batch, *this);
  for (const InputRecord& record : inputs_) {
    RETURN_IF_ERROR(exchanged_->Take(record.value.value_or(""), *this)
                        .WithContext(fmt::format(
                            "{} offset={}", kafka::ToString(id_.partition), record.offset)));
  }
  return {};
}

Status Task::EndInputIfReached() {
  const bool has_ended =
      exchanged_ == nullptr ? end_ >= 0 && position_ >= end_ : exchanged_->has_ended();
  if (!has_ended || is_ended_) return {};
  RETURN_IF_ERROR(program_->EndOfInput(*this));
  RETURN_IF_ERROR(TakeOutputError());
  is_ended_ = true;
  is_idle_ = false;
  is_dirty_ = true;
  log_->info("input_ended task={} offset={}", kafka::ToString(id_.partition), position_);
  return {};
}

Status Task::Advance(EventTimeUs watermark) {
  if (is_ended_ || watermark <= program_->watermark()) return {};
  RETURN_IF_ERROR(program_->Advance(watermark, *this));
  is_dirty_ = true;
  return TakeOutputError();
}

Status Task::Tick() {
  constexpr int64_t kMicrosPerMilli = 1'000;
  if (is_ended_ || program_->next_tick_us() > NowMs() * kMicrosPerMilli) return {};
  RETURN_IF_ERROR(program_->Tick(*this));
  is_dirty_ = true;
  return TakeOutputError();
}

void Task::SetIdle(bool is_idle) {
  if (!is_idle && idle_timer_) idle_timer_->Restart();
  if (is_idle == is_idle_ || is_ended_) return;
  is_idle_ = is_idle;
  is_dirty_ = true;  // whoever waits for this task must hear of it
}

// ---- Over a rebalance ----

void Task::Resume(std::unique_ptr<kafka::PartitionQueue> queue,
                  int64_t position,
                  uint64_t incarnation) {
  queue_ = std::move(queue);
  position_ = position;
  incarnation_ = incarnation;
  is_settled_ = true;
  is_caught_up_ = false;
  if (idle_timer_) idle_timer_->Restart();
  // As of a task that is restored: what has come since must be looked at first, and who waits
  // hears.
  if (is_idle_) is_dirty_ = true;
  is_idle_ = false;
}

// ---- Outputs ----

void Task::ToKafka(size_t sink, const OutputRecord& record) {
  const JobContext& context = shared_.context;
  const KafkaSinkSpec& spec = context.program->kafka_sinks()[sink];
  const int32_t partition = spec.is_fixed
                                ? id_.partition.partition % context.sink_partition_counts[sink]
                                : record.partition;
  flows_.ToKafka(sink, record);
  output_headers_.clear();
  for (const Header& header : record.headers)
    output_headers_.push_back({.name = header.name, .value = header.value});
  if (spec.exactly_once) {
    staged_.Add(context.sink_outputs[sink],
                partition,
                record.key,
                record.value,
                output_headers_,
                record.timestamp_ms);
    return;
  }
  Status status = shared_.send_unguarded(sink,
                                         {.key = record.key,
                                          .value = record.value,
                                          .partition = partition,
                                          .timestamp_ms = record.timestamp_ms,
                                          .headers = output_headers_.data(),
                                          .header_count = output_headers_.size()});
  if (!status.ok() && output_error_.ok()) output_error_ = std::move(status);
}

void Task::ToFile(size_t sink,
                  std::string_view partition_path,
                  std::string_view rows,
                  uint64_t row_count) {
  flows_.ToFile(sink, row_count, rows.size());
  Status status = dfs_files_ != nullptr && dfs_files_->has_sink(sink)
                      ? dfs_files_->Append(sink, partition_path, rows, NowMs())
                      : local_files_->Append(sink, partition_path, rows, NowMs());
  if (status.ok()) status = partition_commits_.Add(sink, partition_path, NowMs());
  if (!status.ok() && output_error_.ok()) output_error_ = std::move(status);
}

void Task::ToExchange(size_t exchange, uint64_t hash, std::string_view row) {
  flows_.ToExchange(exchange, row.size());
  to_exchanges_.Add(exchange, hash, row);
}

void Task::ToPrint(size_t sink, std::string_view line) {
  std::string text = shared_.context.program->print_sinks()[sink].prefix;
  text += line;
  text += '\n';
  // One write, so that lines of several workers do not mix. What a closed pipe does not take is
  // not missed: printing is for people.
  [[maybe_unused]] ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
}

void Task::ToDeadLetters(const InputRecord& record, std::string_view error) {
  dead_letter_limit_.Count(error);
  const DeadLetter letter(id_.partition, record, error);
  staged_.Add(input_.dead_letter_output, -1, letter.key(), letter.value(), letter.headers());
}

void Task::ToLateRows(size_t source, const InputRecord& record, std::string_view why) {
  const JobContext& context = shared_.context;
  const bool is_known = record.offset >= 0;
  const kafka::TopicPartition made{.topic = context.program->sources()[source].topics.front(),
                                   .partition = -1};
  const DeadLetter letter(is_known ? id_.partition : made, record, why);
  staged_.Add(
      context.late_outputs[source].value(), -1, letter.key(), letter.value(), letter.headers());
}

Status Task::TakeOutputError() {
  return std::exchange(output_error_, Status());
}

// ---- The commit ----

bool Task::HasFilesDue() const {
  const int64_t now_ms = NowMs();
  return (dfs_files_ != nullptr && dfs_files_->HasRollDue(now_ms)) ||
         (local_files_ != nullptr && local_files_->HasRollDue(now_ms)) ||
         partition_commits_.HasDue(now_ms, [this](size_t sink) { return VisibleTime(sink); }) ||
         HasVisibleTimeToTell();
}

uint64_t Task::staged_bytes() const {
  return staged_.memory_bytes() + to_exchanges_.memory_bytes() +
         (dfs_files_ == nullptr ? 0 : dfs_files_->staged_bytes()) +
         (local_files_ == nullptr ? 0 : local_files_->staged_bytes());
}

Mark Task::MakeMark() const {
  Mark mark{
      .pair = next_pair(),
      .file_pair = has_file_epoch_ ? next_pair() : file_pair_,
      .position = position_,
      .end = end_,
      .is_done = is_ended_,
      .is_idle = is_idle_,
      .watermark = program_->watermark(),
      .sender_count = exchanged_ == nullptr ? 0 : static_cast<uint32_t>(exchanged_->sender_count()),
      .next_file_number = namer_.next_number(),
      .fingerprint = shared_.context.program->fingerprint()};
  mark.open_partitions = partition_commits_.open();
  if (dfs_files_ != nullptr) mark.open_files = dfs_files_->open_files();
  if (local_files_ != nullptr) {
    mark.host = shared_.context.host;
    for (OpenFile& file : local_files_->open_files())
      mark.open_files.push_back(std::move(file));
  }
  return mark;
}

Status Task::EndEpoch() {
  RETURN_IF_ERROR(program_->EndEpoch(*this));
  to_exchanges_.Flush();
  return TakeOutputError();
}

Status Task::EndFileEpoch(int64_t now_ms) {
  const auto visible = [this](size_t sink) { return VisibleTime(sink); };
  for (const auto& [sink, folder] : partition_commits_.EndEpoch(now_ms, is_ended_, visible)) {
    if (dfs_files_ != nullptr) dfs_files_->Close(sink, folder);
    if (local_files_ != nullptr) local_files_->Close(sink, folder);
  }
  if (local_files_ != nullptr) RETURN_IF_ERROR(local_files_->Flush(now_ms, is_ended_));
  if (dfs_files_ != nullptr) dfs_files_->EndEpoch(now_ms, is_ended_);
  return {};
}

void Task::StageTime(bool is_shared_time) {
  if (exchanged_ != nullptr) {
    ChangelogWriter writer(
        staged_, shared_.context.stages[id_.stage].changelog_output, id_, ChangelogKind::kTime);
    exchanged_->SaveChanges(writer);
  }
  if (!is_shared_time || (exchanged_ != nullptr && !tells_visible_time_)) return;
  // By now the master knows of all commits before this one, or else this task is not settled.
  if (tells_visible_time_ && is_settled_) told_sink_time_ = committed_sink_time_;
  staged_.Add(
      shared_.context.time_output,
      0,
      EncodeTimeKey({.input = id_.input, .partition = id_.partition.partition}),
      EncodeTaskTime(
          {.watermark = program_->watermark(), .is_idle = is_idle_, .visible = told_sink_time_}));
}

EventTimeUs Task::SinkTime() const {
  return is_ended_ ? kEndOfTime : program_->sink_watermark();
}

EventTimeUs Task::VisibleTime(size_t sink) const {
  if (shared_.context.writer_count(sink) == 1) return SinkTime();
  const auto found = visible_times_.find(sink);
  return found == visible_times_.end() ? kNoWatermark : found->second;
}

bool Task::HasVisibleTimeToTell() const {
  return tells_visible_time_ && is_settled_ && told_sink_time_ < committed_sink_time_;
}

Status Task::WriteDueSuccessFiles() {
  if (!is_settled_ || !partition_commits_.has_closing()) return {};
  const std::vector<std::pair<size_t, std::string>> paths = partition_commits_.Ready();
  SLIPSTREAM_FAILPOINT_HIT("commit.before_success_files");
  const auto is_dfs = [this](size_t sink) {
    return dfs_files_ != nullptr && dfs_files_->has_sink(sink);
  };
  RETURN_IF_ERROR(WriteSuccessFiles(
      paths, is_dfs, shared_.context.store.get(), AppenderOwner(job_.uuid, id_) + "/success"));
  SLIPSTREAM_FAILPOINT_HIT("commit.after_success_files");
  for (const auto& [sink, path] : paths)
    log_->info(
        "partition_committed task={} path={}", kafka::ToString(id_.partition), log::Quoted(path));
  partition_commits_.OnWritten();
  is_dirty_ = true;  // the mark goes on naming them until the next
  return {};
}

Status Task::StageMark(bool is_shared_time) {
  const size_t changelog = shared_.context.stages[id_.stage].changelog_output;
  const int32_t partition = id_.partition.partition;
  if (is_new_) {
    staged_.Add(changelog,
                partition,
                EncodeChangelogKey({.kind = ChangelogKind::kJob, .input = id_.input}),
                EncodeJobRecord(job_));
  }
  ChangelogWriter writer(staged_, changelog, id_, ChangelogKind::kState);
  RETURN_IF_ERROR(program_->SaveChanges(writer));
  StageTime(is_shared_time);
  staged_.Add(changelog,
              partition,
              EncodeChangelogKey({.kind = ChangelogKind::kMark, .input = id_.input}),
              EncodeMark(MakeMark()));
  return {};
}

kafka::PartitionOffset Task::CommittedOffset() const {
  return {.partition = id_.partition,
          .offset = position_,
          .metadata = EncodeOffsetMetadata(
              {.pair = next_pair(), .is_done = is_ended_ && partition_commits_.empty()})};
}

std::optional<SenderMark> Task::NewSenderMark() const {
  if (input_.feeds.empty()) return std::nullopt;
  const SenderMark mark{.sender = {.input = id_.input, .partition = id_.partition.partition},
                        .sender_count = static_cast<uint32_t>(input_.partition_count),
                        .watermark = is_ended_ ? kEndOfTime : program_->sent_watermark(),
                        .is_idle = exchanged_ == nullptr ? is_idle_ : exchanged_->is_idle(),
                        .is_done = is_ended_};
  if (sent_mark_ == mark) return std::nullopt;
  return mark;
}

TaskProgram::Counters Task::counters() const {
  TaskProgram::Counters counters = program_->counters();
  flows_.Enter(id_.partition.topic, *shared_.context.program, counters);
  return counters;
}

void Task::OnCommitted() {
  committed_ = next_pair();
  committed_position_ = position_;
  committed_sink_time_ = SinkTime();
  if (const std::optional<SenderMark> mark = NewSenderMark()) sent_mark_ = mark;
  if (has_file_epoch_) {
    file_pair_ = committed_;
    is_settled_ = false;
  }
  has_file_epoch_ = false;
  is_new_ = false;
  is_dirty_ = false;
  trace_ = {};
  staged_.Clear();
}

}  // namespace slipstream::runtime
