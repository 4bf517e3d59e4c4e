#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/types.h"
#include "processor/connectors/file_rolling.h"
#include "processor/runtime/job_options.h"
#include "processor/runtime/sender_times.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// A topic that the job reads: one of a source's, or a stage's repartition topic.
struct JobInput {
  std::string topic;
  uint32_t stage = 0;
  uint32_t place = 0;                     // among the inputs of its stage
  std::optional<size_t> source;           // of the program; none: a repartition topic
  const KafkaSourceSpec* spec = nullptr;  // the source's; null: a repartition topic
  std::vector<uint32_t> feeds;            // stages that its tasks send to
  int32_t partition_count = 0;            // as found at the start
  size_t dead_letter_output = 0;
  // Its tasks write folders that event time completes: others may wait for them.
  bool writes_timed_folders = false;
};

// What the tasks of a stage have in common.
struct JobStage {
  std::string changelog_topic;
  size_t changelog_output = 0;
  // Of stages behind a repartition topic, which is the input number `input`.
  uint8_t input = 0;
  size_t repartition_output = 0;
  std::vector<ExchangeSenders> exchanges;
};

// JobContext: a job's program and options, with everything derived that all its workers need.
// Immutable once made; shared by reference. Threads: thread-safe.
struct JobContext {
  const JobProgram* program = nullptr;
  JobOptions options;

  std::string group_id;
  std::string time_topic;
  kafka::Properties source_properties;  // of every client but at-least-once sinks
  std::vector<JobInput> inputs;         // those of the sources, then the stages' repartition topics
  std::vector<JobStage> stages;
  std::string host;                         // this machine's name
  std::string process;                      // names this process, and no other
  std::shared_ptr<dfs::AppendStore> store;  // of the runner and all its workers; null: no dfs sink

  // Topics that a task's records may go to within its transactions, by index.
  std::vector<std::string> output_topics;
  size_t time_output = 0;
  std::vector<size_t> sink_outputs;            // by Kafka sink
  std::vector<int32_t> sink_partition_counts;  // by Kafka sink; of those that are fixed, others 0

  std::vector<std::pair<size_t, FileSinkTarget>> dfs_targets;    // by file sink
  std::vector<std::pair<size_t, FileSinkTarget>> local_targets;  // by file sink
  std::vector<std::vector<uint8_t>> sink_inputs;                 // by file sink: who writes it

  // By source; none: it has no topic for late rows.
  std::vector<std::optional<size_t>> late_outputs;

  // By exchange number: the stage whose tasks get the rows.
  std::vector<uint32_t> exchange_stages;

  std::vector<std::string> topics() const;  // of all inputs
  std::optional<uint8_t> InputOf(std::string_view topic) const;
  size_t task_count() const;
  // Of the tasks that read the source.
  size_t task_count(size_t source) const;
  // Of the tasks that write the file sink.
  size_t writer_count(size_t file_sink) const;
  // File sinks of both kinds.
  std::vector<std::pair<size_t, FileSinkTarget>> file_targets() const;
  // Those whose folders are complete by the event time of several tasks.
  std::vector<size_t> shared_timed_sinks() const;
  // Whether every source ends, and so the job.
  bool is_bounded() const;
  int32_t stage_partition_count(uint32_t stage) const {
    return inputs[stages[stage].input].partition_count;
  }
};

// Derives everything but what the brokers know (partition counts) and store. Errors:
// kInvalidArgument (job name, sink paths, no source topic), kUnimplemented (sinks on several file
// systems or Kafka clusters, sources on several clusters, two that share a topic).
Result<JobContext> MakeJobContext(const JobProgram& program, JobOptions options);

// `over` after `base`: later entries win.
kafka::Properties Join(const kafka::Properties& base, const kafka::Properties& over);

}  // namespace slipstream::runtime
