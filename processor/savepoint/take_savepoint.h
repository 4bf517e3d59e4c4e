#pragma once

#include <chrono>
#include <stop_token>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/savepoint/savepoint_codec.h"

namespace slipstream::runtime {

// Writes what the job has committed: every task's state and position, and the records that are on
// their way between its stages. Results stay where they are: they are those of the positions.
//
// A job of one stage may go on running: each of its tasks is saved as of some commit. One of
// several stages must be at rest, since what a task has sent must be where its receivers expect it:
// kFailedPrecondition if it commits anything meanwhile.
//
// Blocking  as long as reading takes.
// Errors    kFailedPrecondition (the job has never committed, is not the one that has, or is busy),
//           kUnavailable, kDataLoss (its changelog), kCancelled, and the writer's.
Status TakeSavepoint(JobContext& context,
                     const Clock& clock,
                     SavepointWriter& writer,
                     const std::stop_token& stop);

}  // namespace slipstream::runtime
