#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// TaskFlows: how much a task has read and given, at each edge of its program. What is read again
// after a failed commit counts again.
// Threads  not thread-safe.
class TaskFlows final {
 public:
  void TakeIn(std::span<const InputRecord> records);
  void TakeIn(uint64_t records, uint64_t bytes);
  void ToKafka(size_t sink, const OutputRecord& record);
  void ToFile(size_t sink, uint64_t rows, uint64_t bytes);
  void ToExchange(size_t exchange, uint64_t bytes);

  // Adds them to the counters of the task that reads `topic`, by the names that sinks have in
  // `job`.
  void Enter(const std::string& topic,
             const JobProgram& job,
             TaskProgram::Counters& counters) const;

 private:
  using Flow = TaskProgram::Counters::Flow;

  Flow input_;
  std::vector<Flow> kafka_sinks_;  // by number, as far as there was something
  std::vector<Flow> file_sinks_;
  std::vector<Flow> exchanges_;
};

}  // namespace slipstream::runtime
