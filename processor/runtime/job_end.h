#pragma once

#include <chrono>

#include "common/kafka/group_consumer.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// Whether every partition of a bounded job, here and elsewhere, has committed that it is done.
// False too while the brokers do not say.
bool HasJobEnded(kafka::GroupConsumer& consumer,
                 const JobContext& context,
                 std::chrono::milliseconds timeout);

}  // namespace slipstream::runtime
