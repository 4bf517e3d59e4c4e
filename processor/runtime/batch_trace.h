#pragma once

#include <span>

#include "common/kafka/message_batch.h"
#include "common/trace/trace.h"

namespace slipstream::runtime {

// The name that the first record with one bears; not set where none does. A producer gives one to a
// record now and then, so most have no header to look at.
trace::Id TraceOf(std::span<const kafka::Record> records);

}  // namespace slipstream::runtime
