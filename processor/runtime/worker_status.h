#pragma once

#include <cstdint>

#include "processor/runtime/task.h"
#include "processor/runtime/worker.h"

namespace slipstream::runtime {

// Adds up what tasks have counted.
void Add(TaskProgram::Counters& sum, const TaskProgram::Counters& more);

// Enters a task and its counters into its worker's status. `end`: of its partition, as last told by
// the broker; -1: not yet.
void Enter(WorkerStatus& status, const Task& task, int64_t end);

}  // namespace slipstream::runtime
