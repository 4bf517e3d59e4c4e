#include "processor/runtime/task_flows.h"

namespace slipstream::runtime {
namespace {

using Flow = TaskProgram::Counters::Flow;

void AddTo(std::vector<Flow>& flows, size_t number, uint64_t rows, uint64_t bytes) {
  if (number >= flows.size()) flows.resize(number + 1);
  flows[number] += {.rows = rows, .bytes = bytes};
}

template <class Record>
uint64_t BytesOf(const Record& record) {
  return record.key.value_or("").size() + record.value.value_or("").size();
}

}  // namespace

void TaskFlows::TakeIn(std::span<const InputRecord> records) {
  input_.rows += records.size();
  for (const InputRecord& record : records)
    input_.bytes += BytesOf(record);
}

void TaskFlows::TakeIn(uint64_t records, uint64_t bytes) {
  input_ += {.rows = records, .bytes = bytes};
}

void TaskFlows::ToKafka(size_t sink, const OutputRecord& record) {
  AddTo(kafka_sinks_, sink, 1, BytesOf(record));
}

void TaskFlows::ToFile(size_t sink, uint64_t rows, uint64_t bytes) {
  AddTo(file_sinks_, sink, rows, bytes);
}

void TaskFlows::ToExchange(size_t exchange, uint64_t bytes) {
  AddTo(exchanges_, exchange, 1, bytes);
}

void TaskFlows::Enter(const std::string& topic,
                      const JobProgram& job,
                      TaskProgram::Counters& counters) const {
  counters.inputs[topic] += input_;
  for (size_t i = 0; i < kafka_sinks_.size(); ++i)
    counters.outputs[job.kafka_sinks()[i].topic] += kafka_sinks_[i];
  for (size_t i = 0; i < file_sinks_.size(); ++i)
    counters.outputs[job.file_sinks()[i].path] += file_sinks_[i];
  counters.exchanges = exchanges_;
}

}  // namespace slipstream::runtime
