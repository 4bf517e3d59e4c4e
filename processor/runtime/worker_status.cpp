#include "processor/runtime/worker_status.h"

#include <algorithm>

namespace slipstream::runtime {

namespace {

using Flow = TaskProgram::Counters::Flow;

void AddFlows(std::vector<Flow>& sum, const std::vector<Flow>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i)
    sum[i] += more[i];
}

}  // namespace

void Add(TaskProgram::Counters& sum, const TaskProgram::Counters& more) {
  sum.rows_in += more.rows_in;
  sum.rows_out += more.rows_out;
  sum.rows_late += more.rows_late;
  sum.rows_dead += more.rows_dead;
  AddFlows(sum.operators, more.operators);
  for (const auto& [table, rows] : more.rows_late_by_table)
    sum.rows_late_by_table[table] += rows;
  for (const auto& [topic, flow] : more.inputs)
    sum.inputs[topic] += flow;
  for (const auto& [place, flow] : more.outputs)
    sum.outputs[place] += flow;
  AddFlows(sum.exchanges, more.exchanges);
}

void Enter(WorkerStatus& status, const Task& task, int64_t end) {
  Add(status.counters, task.counters());
  status.tasks.push_back(
      {.topic = task.id().partition.topic,
       .partition = task.id().partition.partition,
       .position = task.position(),
       .end = end,
       .watermark = task.watermark(),
       .is_idle = task.is_idle(),
       .is_done = task.is_done(),
       .busy_seconds = std::chrono::duration<double>(task.busy_time()).count(),
       .held_back_seconds = std::chrono::duration<double>(task.held_back_time()).count()});
}

}  // namespace slipstream::runtime
