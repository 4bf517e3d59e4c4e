#pragma once

#include <stop_token>

#include "common/status/status.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// What must stand before anything of a job can: brokers that answer, the sources' topics and the
// job's own. Fills in what the brokers know of the context. With options.is_fresh whatever the job
// had committed is discarded first.
// Errors: kUnavailable (no broker, or no master of a fresh job's files), kNotFound (a source's
// topic), both after options.connect_timeout; kFailedPrecondition (--fresh while the job is
// running); kCancelled.
Status PrepareTopics(JobContext& context, const std::stop_token& stop);

}  // namespace slipstream::runtime
