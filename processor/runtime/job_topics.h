#pragma once

#include <stop_token>

#include "common/kafka/admin.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// Waits for the sources' topics, until options.connect_timeout, and fills in their partition
// counts. Errors: kNotFound naming the topic; kCancelled.
Status WaitForSourceTopics(kafka::Admin& admin, JobContext& context, const std::stop_token& stop);

// Creates the job's own topics with the settings the protocol needs, and checks those of existing
// ones; creates sink and dead-letter topics that do not exist. Fills in the partition counts of
// sinks and repartition topics.
Status EnsureJobTopics(kafka::Admin& admin, JobContext& context);

inline constexpr const char* kStatusTopic = "slipstream-status";

}  // namespace slipstream::runtime
