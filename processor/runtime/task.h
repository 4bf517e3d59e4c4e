#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <spdlog/logger.h>

#include "common/clock/clock.h"
#include "common/kafka/group_consumer.h"
#include "common/status/status.h"
#include "common/trace/trace.h"
#include "processor/connectors/dfs_files.h"
#include "processor/connectors/local_files.h"
#include "processor/connectors/partition_commits.h"
#include "processor/runtime/dead_letter_limit.h"
#include "processor/runtime/exchange_input.h"
#include "processor/runtime/exchange_output.h"
#include "processor/runtime/idle_timer.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/staged_records.h"
#include "processor/runtime/task_flows.h"
#include "processor/runtime/task_program.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

struct TaskId {
  uint8_t input = 0;   // of the job
  uint32_t stage = 0;  // the input's
  uint32_t place = 0;  // the input's, in its stage
  kafka::TopicPartition partition;
};

// The name of a task at the file system: `<job uuid>/<stage>/<partition>`, with the topic before
// the partition for all inputs of the stage but the first.
std::string AppenderOwner(const std::string& job_uuid, const TaskId& id);

// What a takeover has found out about a task.
struct TaskRestore {
  JobRecord job;
  std::optional<Mark> mark;  // none: the task has never committed
  int64_t position = 0;      // where reading starts
  int64_t end = -1;          // where the bounded input ends; -1: it does not
  uint64_t incarnation = 0;  // for the pairs to come
  // What the changelog holds of the senders' time, by key; behind a repartition topic only.
  std::unordered_map<std::string, std::string> times;
};

// Task: one partition of an input on its way through the program: position, watermark, staged
// results, open files. From restore to commit to commit; thrown away whole when anything fails.
//
// Ownership  borrows Shared and all that it refers to, which must outlive it.
// Threads    its worker's thread.
class Task final : private TaskOutput {
 public:
  // What several tasks of a worker share.
  struct Shared {
    const JobContext& context;
    block::FrameCompressor& compressor;
    const Clock& clock;
    // Records of sinks that are at-least-once go out at once.
    std::function<Status(size_t sink, const kafka::OutgoingRecord&)> send_unguarded;
  };

  // `program` holds the restored state already.
  static Result<std::unique_ptr<Task>> Create(const Shared& shared,
                                              TaskId id,
                                              TaskRestore restore,
                                              std::unique_ptr<TaskProgram> program,
                                              std::unique_ptr<kafka::PartitionQueue> queue);
  ~Task() override;

  // Processes what the queue holds, or what the program finds, at most one batch. The number of
  // records; errors are the program's own, kAborted (offsets went back: take over again) and
  // kOutOfRange (the log has lost the position).
  Result<size_t> ReadBatch();

  // Not OK: what the program finds its records in is away, and what is missing.
  const Status& input_status() const { return input_status_; }

  // Raises the watermark of an idle task.
  Status Advance(EventTimeUs watermark);

  // Lets happen what the clock says is due, be there records or not.
  Status Tick();

  // ---- Over a rebalance ----

  // Whether it is as Kafka has recorded it, so that it may go on where it is if the group gives its
  // partition to the same worker again. Not with local files, which another may have written to.
  bool may_be_kept() const {
    return !is_dirty_ && committed_ != MarkPair{} && local_files_ == nullptr;
  }
  // Lets go of its queue. From here on only Resume, and what says of the task what it is.
  void SetAside() { queue_.reset(); }
  // Goes on, with a takeover having seen to offsets and files: the group's offset, `position`, is
  // still that of committed().
  void Resume(std::unique_ptr<kafka::PartitionQueue> queue, int64_t position, uint64_t incarnation);
  // The last pair in Kafka.
  const MarkPair& committed() const { return committed_; }
  const JobRecord& job() const { return job_; }

  // ---- For the commit; see commit.h ----

  // Whether anything has happened since the last commit.
  bool is_dirty() const { return is_dirty_; }
  // Whether files are to be closed, or folders to be completed, though nothing has come.
  bool HasFilesDue() const;
  uint64_t staged_bytes() const;
  // Its state asks for a commit, so that memory is not exceeded.
  bool wants_commit() const { return program_->wants_commit(); }
  // The pair the running epoch commits under.
  MarkPair next_pair() const { return {committed_.epoch + 1, incarnation_}; }
  // Nothing more is read before the commit: what the program held back for exchanges is given. The
  // first step of a commit.
  Status EndEpoch();
  // The files' share of the epoch is complete: local ones are durable, the others can be written.
  // Errors of the local disk.
  Status EndFileEpoch(int64_t now_ms);
  // Stages changed state, time and, last of all, the mark. Files must be flushed and prepared.
  Status StageMark(bool is_shared_time);
  kafka::PartitionOffset CommittedOffset() const;
  // The mark for the stages that this task feeds, if it differs from the one they have.
  std::optional<SenderMark> NewSenderMark() const;
  // Kafka has recorded next_pair().
  void OnCommitted();
  // What the epoch's records are called, by the first that bears a name; not set where none does.
  const trace::Id& trace() const { return trace_; }

  void set_incarnation(uint64_t incarnation) { incarnation_ = incarnation; }
  DfsFiles* dfs_files() { return dfs_files_.get(); }
  LocalFiles* local_files() { return local_files_.get(); }
  const StagedRecords& staged() const { return staged_; }

  // The last pair that wrote dfs files and is committed in Kafka; and whether the master knows.
  MarkPair file_pair() const { return file_pair_; }
  bool is_settled() const { return is_settled_; }
  void set_settled() { is_settled_ = true; }
  void MarkFilesPrepared() { has_file_epoch_ = true; }
  // Whether the last commit wrote no dfs files, and the master does not know of an earlier one.
  bool is_behind() const { return !is_settled_ && file_pair_ != committed_; }

  // ---- Success files; see PartitionCommits ----

  // Up to where the rows of all tasks that write the file sink are visible; of sinks that only this
  // task writes it knows that by itself.
  void SetVisibleTime(size_t sink, EventTimeUs visible) { visible_times_[sink] = visible; }
  // Writes those that are due, of folders whose rows are committed and visible. kUnavailable,
  // kDeadlineExceeded, kAborted: nothing is lost, call again.
  Status WriteDueSuccessFiles();

  // ---- For the worker ----

  const TaskId& id() const { return id_; }
  const JobInput& input() const { return input_; }
  // The bounded input is through, and that is committed and settled.
  bool is_done() const {
    return is_ended_ && !is_dirty_ && is_settled_ && partition_commits_.empty();
  }
  bool is_ended() const { return is_ended_; }
  // Something is left to do about what is committed: to tell the master of it, or to say that
  // folders are complete.
  bool is_unfinished() const { return !is_settled_ || partition_commits_.has_closing(); }
  bool is_idle() const { return is_idle_; }
  // Nothing has come for the source's idle timeout: idle, if the broker says that the partition
  // ends at position().
  bool may_be_idle() const { return idle_timer_ && !is_idle_ && idle_timer_->is_over(); }
  // What the broker said. Without `is_idle` the timeout begins anew.
  void SetIdle(bool is_idle);
  int64_t position() const { return position_; }
  // That Kafka has recorded.
  int64_t committed_position() const { return committed_position_; }
  int64_t end() const { return end_; }
  EventTimeUs watermark() const { return program_->watermark(); }
  TaskProgram::Counters counters() const;
  SteadyTime::duration busy_time() const { return busy_time_; }
  // While what it has given is on its way, and it reads nothing.
  SteadyTime::duration held_back_time() const { return held_back_time_; }
  void AddHeldBackTime(SteadyTime::duration time) { held_back_time_ += time; }

 private:
  Task(const Shared& shared, TaskId id, TaskRestore restore, std::unique_ptr<TaskProgram> program);

  Status RestoreTimes(const std::unordered_map<std::string, std::string>& times);

  // TaskOutput
  void ToKafka(size_t sink, const OutputRecord& record) override;
  void ToFile(size_t sink,
              std::string_view partition_path,
              std::string_view rows,
              uint64_t row_count) override;
  void ToExchange(size_t exchange, uint64_t hash, std::string_view row) override;
  void ToPrint(size_t sink, std::string_view line) override;
  void ToDeadLetters(const InputRecord& record, std::string_view error) override;
  void ToLateRows(size_t source, const InputRecord& record, std::string_view why) override;

  Result<size_t> PullBatch();
  void OnRecords();
  Status ProcessRecords(const std::shared_ptr<const kafka::MessageBatch>& batch);
  void AddInput(const kafka::Record& record);
  Status GiveToProgram(const std::shared_ptr<const kafka::MessageBatch>& batch);
  Status EndInputIfReached();
  // The first error of an output call within the program, which has no way to return it.
  Status TakeOutputError();
  int64_t NowMs() const;
  Mark MakeMark() const;
  void StageTime(bool is_shared_time);
  // Of the rows that go to sinks.
  EventTimeUs SinkTime() const;
  EventTimeUs VisibleTime(size_t sink) const;
  // Whether others wait to hear up to where this task's rows are visible.
  bool HasVisibleTimeToTell() const;

  const Shared& shared_;
  const TaskId id_;
  const JobInput& input_;
  const JobRecord job_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<TaskProgram> program_;
  std::unique_ptr<ExchangeInput> exchanged_;  // null: the input is a source's
  std::unique_ptr<kafka::PartitionQueue> queue_;
  std::vector<InputRecord> inputs_;  // of the batch at hand; its memory is kept
  std::vector<Header> input_headers_;
  std::vector<kafka::Header> output_headers_;  // of the record at hand

  int64_t position_;
  int64_t committed_position_ = -1;
  const int64_t end_;
  bool is_ended_ = false;
  Status input_status_;
  bool is_caught_up_ = false;  // nothing but the end of the partition since then
  bool is_idle_ = false;
  std::optional<IdleTimer> idle_timer_;  // none: the source has no idle timeout

  StagedRecords staged_;
  ExchangeOutput to_exchanges_;
  std::optional<SenderMark> sent_mark_;  // what the stages it feeds have heard last
  FileNamer namer_;
  std::unique_ptr<DfsFiles> dfs_files_;
  std::unique_ptr<LocalFiles> local_files_;
  PartitionCommits partition_commits_;
  const bool tells_visible_time_;
  std::map<size_t, EventTimeUs> visible_times_;     // by file sink that other tasks write as well
  EventTimeUs committed_sink_time_ = kNoWatermark;  // of the rows for sinks, with the last commit
  EventTimeUs told_sink_time_ = kNoWatermark;       // that the others have been told is visible
  Status output_error_;
  DeadLetterLimit dead_letter_limit_;

  MarkPair committed_;  // last pair in Kafka
  MarkPair file_pair_;
  uint64_t incarnation_;
  bool is_new_;  // the job record is not yet in the changelog
  bool is_dirty_;
  trace::Id trace_;
  TaskFlows flows_;
  SteadyTime::duration busy_time_{};
  SteadyTime::duration held_back_time_{};
  bool is_settled_ = true;
  bool has_file_epoch_ = false;  // the running epoch has prepared files
};

}  // namespace slipstream::runtime
