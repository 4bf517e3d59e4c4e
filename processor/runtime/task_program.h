#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::runtime {

// The seam between the SQL engine, which says what is computed, and the runtime, which reads,
// commits and restores. Neither side includes the other beyond this header: the engine knows no
// Kafka and no file system, the runtime knows no SQL.

// Event time in microseconds since 1970-01-01 00:00, of whatever zone the data means.
using EventTimeUs = int64_t;
inline constexpr EventTimeUs kNoWatermark = INT64_MIN;  // nothing seen yet
inline constexpr EventTimeUs kEndOfTime = INT64_MAX;    // bounded input has ended
// No processing time is waited for.
inline constexpr int64_t kNoTick = INT64_MAX;

struct Header {
  std::string_view name;
  std::string_view value;
};

// One record of a source topic. All views live until Process returns, and longer if the task takes
// a share of `buffer` (see Process).
struct InputRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: a tombstone
  int64_t offset = 0;
  int64_t timestamp_ms = 0;  // Kafka's, since 1970 UTC
  enum class TimestampType : uint8_t { kNone, kCreateTime, kLogAppendTime };
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::span<const Header> headers;
};

// One record for a sink topic. All views live for the call.
struct OutputRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: a tombstone, which deletes (upsert)
  // < 0: by the key's hash as Kafka's own partitioner has it, or sticky without a key.
  int32_t partition = -1;
  int64_t timestamp_ms = 0;  // since 1970 UTC; 0: when it is sent
  std::span<const Header> headers;
};

// Where a task's results go. Implemented by the runtime; everything handed over becomes visible
// with the commit of the epoch, or not at all. Bytes are copied before a call returns.
class TaskOutput {
 public:
  virtual ~TaskOutput() = default;

  // A record to the Kafka sink number `sink` of the program.
  virtual void ToKafka(size_t sink, const OutputRecord& record) = 0;

  // Whole encoded rows (each with its line end) for the file sink number `sink`, in the folder
  // `partition_path` below its path: "" or "carrier=AA/" or "a=1/b=2/".
  virtual void ToFile(size_t sink,
                      std::string_view partition_path,
                      std::string_view rows,
                      uint64_t row_count) = 0;

  // A row for exchange number `exchange` of the program. All rows with the same hash reach the same
  // task. The runtime does not look into the row.
  virtual void ToExchange(size_t exchange, uint64_t hash, std::string_view row) = 0;

  // A line for people. At least once; not part of the commit.
  virtual void ToPrint(size_t sink, std::string_view line) = 0;

  // The record as it came goes to the source's dead-letter topic with `error` in its headers.
  virtual void ToDeadLetters(const InputRecord& record, std::string_view error) = 0;

  // The record, of source number `source`, which came too late for a window, goes to the source's
  // late_rows_topic with `why` in its headers. Offset -1: a row that it became, since its record is
  // not known any more. Not called for sources without the topic.
  virtual void ToLateRows(size_t source, const InputRecord& record, std::string_view why) = 0;
};

// Where a task writes what of its state changed. Keys and values are opaque bytes to the runtime;
// each begins with a version byte.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
};

// TaskProgram: the computation of one task: one stage of a job on one partition of its input, which
// is a topic of a source (Process, or Pull, and Advance are called) or the stage's repartition
// topic (ProcessExchanged and AdvanceExchange are).
//
// Threads    one worker thread calls it; it starts none.
// Blocking   no I/O but for state that does not fit into memory, on a local disk; Pull waits for
//            what holds the records.
// Lifecycle  made; Restore for every live key of the changelog and RestoreWatermark if there is
//            one; then any number of Process, Advance, Tick and SaveChanges; EndOfInput at most
//            once. After an aborted transaction it is thrown away and made anew.
// Determinism  the rows it gives do not depend on how records are cut into batches or on where
//            SaveChanges and Restore fell between them, but for rows that come too late.
class TaskProgram {
 public:
  virtual ~TaskProgram() = default;

  // Takes records in offset order; emits what they and the risen watermark complete. `buffer`
  // keeps the bytes of all `records` alive while anyone holds it. An error stops the job; a record
  // that is merely bad goes to out.ToDeadLetters.
  virtual Status Process(std::span<const InputRecord> records,
                         const std::shared_ptr<const void>& buffer,
                         TaskOutput& out) = 0;

  // Raises the watermark to at least `watermark` without a record (an idle task's follows the
  // others') and emits what that completes.
  virtual Status Advance(EventTimeUs watermark, TaskOutput& out) = 0;

  // What a program of a pulled source took.
  struct Pulled {
    uint64_t records = 0;
    uint64_t bytes = 0;
    bool has_changed = false;   // its state, be there records or not
    bool is_caught_up = false;  // nothing more is there for now
  };
  // In place of Process: finds records by itself, and deals with some of what is there. How far it
  // has come is its own state. kUnavailable: what holds them is away, nothing has changed.
  virtual Result<Pulled> Pull(TaskOutput& /*out*/) {
    return Internal("a program that is given its records");
  }

  // Rows as they were given to ToExchange, those of one sender in its order.
  virtual Status ProcessExchanged(size_t exchange,
                                  std::span<const std::string_view> rows,
                                  TaskOutput& out) = 0;
  // Raises the watermark of what comes through the exchange.
  virtual Status AdvanceExchange(size_t exchange, EventTimeUs watermark, TaskOutput& out) = 0;

  // When something is to happen though no record comes, by the wall clock: microseconds since 1970
  // UTC; kNoTick: nothing is waited for. Then, or later, Tick is called, which emits what is due.
  virtual int64_t next_tick_us() const { return kNoTick; }
  virtual Status Tick(TaskOutput& /*out*/) { return {}; }

  // All input has ended: the watermark becomes kEndOfTime, every window fires.
  virtual Status EndOfInput(TaskOutput& out) = 0;

  // An epoch ends: whatever is held back for exchanges alone is given now. What it holds is not
  // saved.
  virtual Status EndEpoch(TaskOutput& out) = 0;

  // The least of all inputs'.
  virtual EventTimeUs watermark() const = 0;
  // The least of what goes to exchanges: lower, where rows are held back on the way.
  virtual EventTimeUs sent_watermark() const = 0;
  // The least of what goes to sinks, likewise.
  virtual EventTimeUs sink_watermark() const { return watermark(); }
  virtual void RestoreWatermark(EventTimeUs watermark) = 0;
  virtual void RestoreExchangeWatermark(size_t exchange, EventTimeUs watermark) = 0;

  // What has changed since the last SaveChanges is more than should be in memory: the epoch is to
  // end early.
  virtual bool wants_commit() const { return false; }
  // Writes every key whose state changed since the last call (or since the task was restored).
  virtual Status SaveChanges(StateWriter& writer) = 0;
  virtual Status Restore(std::string_view key, std::string_view value) = 0;

  // Counters since the task was made, for status and metrics.
  struct Counters {
    uint64_t rows_in = 0;
    uint64_t rows_out = 0;
    uint64_t rows_late = 0;
    // The same by table that they came from, or tables ("a+b").
    std::map<std::string, uint64_t> rows_late_by_table;
    uint64_t rows_dead = 0;
    struct Flow {
      uint64_t rows = 0;   // records, where they come from Kafka or go there
      uint64_t bytes = 0;  // of keys and values, or of encoded rows

      Flow& operator+=(const Flow& more) {
        rows += more.rows;
        bytes += more.bytes;
        return *this;
      }
    };
    // What came into each operator of the job, by its number, with the bytes that the values take
    // in memory; those of other stages are 0.
    std::vector<Flow> operators = {};

    // What crossed the program's edges, which the runtime counts.
    std::map<std::string, Flow> inputs = {};   // by topic
    std::map<std::string, Flow> outputs = {};  // by topic, or path of files
    std::vector<Flow> exchanges = {};          // sent through each, by its number
  };
  virtual Counters counters() const = 0;
};

// ---- What a job is, as the runtime needs to know it ----

struct KafkaSourceSpec {
  std::vector<std::string> topics;
  std::vector<std::pair<std::string, std::string>> properties;  // librdkafka's names
  std::string group_id;                                         // empty: the job's name
  std::string topic_pattern;  // a regular expression; the topics it finds become `topics`
  // > 0: its records are in no topic. So many tasks find them by themselves (TaskProgram::Pull).
  // `topics` is one name: of an empty topic of the job's own, `<job>-<name>`, through whose
  // partitions the group shares the tasks out and commits for them.
  int32_t pull_tasks = 0;
  // Where a partition begins that the group has no offset of. kTimestamp: at the first record of
  // that time or later; kSpecificOffsets: partitions that are not named begin like kGroupOffsets.
  enum class Startup { kGroupOffsets, kEarliest, kLatest, kTimestamp, kSpecificOffsets };
  Startup startup = Startup::kGroupOffsets;
  int64_t startup_timestamp_ms = 0;            // since 1970 UTC
  std::map<int32_t, int64_t> startup_offsets;  // by partition
  // Whether it ends, and where: what that is at the job's first start. Partitions without a
  // specific offset end where they begin.
  bool is_bounded = false;
  enum class Bound { kLatest, kGroupOffsets, kTimestamp, kSpecificOffsets } bound = Bound::kLatest;
  int64_t bound_timestamp_ms = 0;
  std::map<int32_t, int64_t> bound_offsets;
  std::string dead_letter_topic;           // empty: "<topic>.dead-letter"
  double dead_letter_max_share = 1;        // of the last records, before the job fails; 1: any
  std::string late_rows_topic;             // empty: late rows are counted only
  std::optional<int64_t> idle_timeout_ms;  // nullopt: never idle
  bool continue_on_data_loss = false;

  bool is_pulled() const { return pull_tasks > 0; }

  friend bool operator==(const KafkaSourceSpec&, const KafkaSourceSpec&) = default;
};

struct KafkaSinkSpec {
  std::string topic;
  std::vector<std::pair<std::string, std::string>> properties;
  bool exactly_once = true;
  bool is_upsert = false;  // the topic is compacted if the job has to make it
  bool is_fixed = false;   // a task's records all go to one partition
};

struct FileSinkSpec {
  std::string path;       // "dfs:///delays/", "dfs://host:port/x", "file:///x" or "/x"
  std::string extension;  // ".jsonl"
  uint64_t roll_bytes = 128ULL << 20;
  int64_t roll_interval_ms = int64_t{30} * 60 * 1000;
  int64_t roll_inactivity_ms = int64_t{30} * 60 * 1000;  // without a row
  // Of the empty file that says that the rows of a partition are all there; empty: none.
  std::string success_file;
  // When that is, while input goes on; once it has ended they are, in any case.
  struct PartitionCommit {
    // By event time: when the watermark of all tasks is more than `delay_ms` behind the time that
    // the folder stands for. Otherwise `delay_ms` after a task's first row for it.
    bool is_by_watermark = false;
    int64_t delay_ms = 0;
    // The time that "dt=2024-05-12/hr=02/" stands for; nullopt: none, only the end completes it.
    std::function<std::optional<EventTimeUs>(std::string_view partition_path)> time_of;
  };
  PartitionCommit partition_commit;
  // Whose tasks write it: those of these sources, and of these stages behind repartition topics.
  std::vector<size_t> sources;
  std::vector<uint32_t> stages;

  bool is_timed() const { return !success_file.empty() && partition_commit.is_by_watermark; }
};

struct PrintSinkSpec {
  std::string prefix;
};

// A stage behind a repartition topic, and the exchanges that write to the topic.
struct RepartitionSpec {
  struct Exchange {
    size_t number = 0;             // in the program
    std::vector<size_t> sources;   // whose tasks send through it
    std::vector<uint32_t> stages;  // the same, of stages behind other repartition topics
  };
  std::vector<Exchange> exchanges;
  bool is_single = false;  // all rows belong to one task
};

// JobProgram: a planned job: stage 0, whose tasks read the sources, and the stages behind
// repartition topics. Immutable; shared by all workers.
// Threads  thread-safe.
class JobProgram {
 public:
  virtual ~JobProgram() = default;

  virtual const std::vector<KafkaSourceSpec>& sources() const = 0;
  // Of the stages 1 and up, in their order. A stage sends only to later ones.
  virtual const std::vector<RepartitionSpec>& repartitions() const = 0;
  virtual const std::vector<KafkaSinkSpec>& kafka_sinks() const = 0;
  virtual const std::vector<FileSinkSpec>& file_sinks() const = 0;
  virtual const std::vector<PrintSinkSpec>& print_sinks() const = 0;

  // False: the stage's tasks keep no state, so no changelog but for the marks is needed.
  virtual bool is_stateful(uint32_t stage) const = 0;
  // Equal for plans whose state is interchangeable.
  virtual std::string fingerprint() const = 0;
  // What the fingerprint is of, in lines: for people, who want to know what has changed.
  virtual std::string state_text() const = 0;

  // Of the files that lookup joins read: rows that could not be, since the job was made.
  virtual uint64_t lookup_rows_bad() const { return 0; }

  // A task of stage 0.
  virtual std::unique_ptr<TaskProgram> MakeSourceTask(size_t source,
                                                      std::string_view topic,
                                                      int32_t partition) const = 0;
  // A task of a later stage.
  virtual std::unique_ptr<TaskProgram> MakeStageTask(uint32_t stage, int32_t partition) const = 0;
};

}  // namespace slipstream::runtime
