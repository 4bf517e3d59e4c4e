#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/savepoint/savepoint_codec.h"

namespace slipstream::runtime {

// Gives a job that has committed nothing the state and the positions of a savepoint, in one
// transaction: whatever starts the job then goes on from there, as after any restart. The job keeps
// its own name and gets an identity of its own at the file system, so its files are new ones. What
// has been given once is not given twice: a job that began with this very savepoint is left as it
// is.
//
// `open` begins the savepoint anew, for another attempt. With options.is_fresh what the job has
// committed is discarded first.
// Blocking  as long as writing takes.
// Errors    kFailedPrecondition (the job has state of its own, or is another than the saved one,
// and
//           what differs), kDataLoss (a damaged savepoint), kUnavailable, kCancelled.
Status RestoreSavepoint(JobContext& context,
                        const std::function<Result<std::unique_ptr<SavepointReader>>()>& open,
                        const std::stop_token& stop);

}  // namespace slipstream::runtime
