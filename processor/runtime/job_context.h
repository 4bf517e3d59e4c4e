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
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// The only stage there is; several come with the repartition topic.
inline constexpr uint32_t kStage = 0;

// JobContext: a job's program and options, with everything derived that all its workers need.
// Immutable once made; shared by reference. Threads: thread-safe.
struct JobContext {
  const JobProgram* program = nullptr;
  JobOptions options;

  std::string group_id;
  std::string changelog_topic;
  std::string time_topic;
  kafka::Properties source_properties;      // of every client but at-least-once sinks
  std::vector<int32_t> partition_counts;    // of the inputs, as found at the start
  std::string host;                         // this machine's name
  std::shared_ptr<dfs::AppendStore> store;  // of the runner and all its workers; null: no dfs sink

  // Topics that a task's records may go to within its transactions, by index.
  std::vector<std::string> output_topics;
  size_t changelog_output = 0;
  size_t time_output = 0;
  std::vector<size_t> sink_outputs;            // by Kafka sink
  std::vector<int32_t> sink_partition_counts;  // by Kafka sink; of those that are fixed, others 0
  std::vector<size_t> dead_letter_outputs;     // by input

  std::vector<std::pair<size_t, FileSinkTarget>> dfs_targets;    // by file sink
  std::vector<std::pair<size_t, FileSinkTarget>> local_targets;  // by file sink

  const std::vector<std::string>& topics() const { return program->source().topics; }
  std::optional<uint8_t> InputOf(std::string_view topic) const;
  size_t task_count() const;
};

// Derives everything but what the brokers know (partition_counts, sink_partition_counts) and store.
// Errors: kInvalidArgument (job name, sink paths, no source topic), kUnimplemented (sinks on
// several file systems or Kafka clusters).
Result<JobContext> MakeJobContext(const JobProgram& program, JobOptions options);

// `over` after `base`: later entries win.
kafka::Properties Join(const kafka::Properties& base, const kafka::Properties& over);

}  // namespace slipstream::runtime
