#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "processor/runtime/job_context.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// StagedRun: a compiled job with all its stages, in memory and in an order drawn by a seed: tasks
// read as much as they like, commit when they like, and lose what they have not committed. What
// lies between the tasks is the runtime's own: the records of repartition topics and what is made
// of them. A topic is a list of records here, and a commit is atomic, as Kafka's is.
class StagedRun {
 public:
  // Records of a topic, as JSON, with the partition of each.
  using Input = std::map<std::string, std::vector<std::pair<int32_t, std::string>>>;

  // Every topic has `partitions` partitions. The job's sinks print.
  StagedRun(const runtime::JobProgram& program,
            const Input& input,
            int32_t partitions,
            uint64_t seed);
  ~StagedRun();

  // Until every task has ended.
  void Run();

  // All lines that were printed and committed, sorted.
  std::vector<std::string> Lines() const;
  // What is left of the rows of an update stream: +I and +U add one, -U and -D take one away.
  std::vector<std::string> Result() const;
  uint64_t late_rows() const;
  size_t crashes() const { return crashes_; }
  // Rows on repartition topics.
  size_t exchanged_rows() const;

 private:
  class Task;

  runtime::JobContext context_;
  std::mt19937_64 random_;
  std::map<std::string, std::vector<std::vector<std::string>>> logs_;  // by topic, by partition
  std::vector<std::unique_ptr<Task>> tasks_;
  size_t crashes_ = 0;
};

}  // namespace slipstream::sql
