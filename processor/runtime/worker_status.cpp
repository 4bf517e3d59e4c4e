#include "processor/runtime/worker_status.h"

#include <algorithm>

namespace slipstream::runtime {

namespace {

using Flow = TaskProgram::Counters::Flow;

void AddFlow(Flow& sum, const Flow& more) {
  sum.rows += more.rows;
  sum.bytes += more.bytes;
}

}  // namespace

void Add(TaskProgram::Counters& sum, const TaskProgram::Counters& more) {
  sum.rows_in += more.rows_in;
  sum.rows_out += more.rows_out;
  sum.rows_late += more.rows_late;
  sum.rows_dead += more.rows_dead;
  sum.operator_rows.resize(std::max(sum.operator_rows.size(), more.operator_rows.size()));
  for (size_t i = 0; i < more.operator_rows.size(); ++i)
    sum.operator_rows[i] += more.operator_rows[i];
  for (const auto& [table, rows] : more.rows_late_by_table)
    sum.rows_late_by_table[table] += rows;
  for (const auto& [topic, flow] : more.inputs)
    AddFlow(sum.inputs[topic], flow);
  for (const auto& [place, flow] : more.outputs)
    AddFlow(sum.outputs[place], flow);
  sum.exchanges.resize(std::max(sum.exchanges.size(), more.exchanges.size()));
  for (size_t i = 0; i < more.exchanges.size(); ++i)
    AddFlow(sum.exchanges[i], more.exchanges[i]);
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
