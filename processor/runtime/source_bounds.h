#pragma once

#include <cstdint>
#include <string>

#include "common/kafka/admin.h"
#include "common/status/status.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// Where a partition of a source begins that no run of the job has an offset of, and where a bounded
// one ends, as the source's options say; `range` is what the partition has now. An offset outside
// of it counts as the nearest one inside.
// Blocking  asks the brokers where the options need it. Errors: as kafka::Admin's.
Result<int64_t> StartOffset(const KafkaSourceSpec& source,
                            kafka::Admin& admin,
                            const kafka::TopicPartition& partition,
                            const kafka::Admin::OffsetRange& range);
// `group_id`: whose offsets Bound::kGroupOffsets means. kInvalidArgument: it has none.
Result<int64_t> EndOffset(const KafkaSourceSpec& source,
                          kafka::Admin& admin,
                          const std::string& group_id,
                          const kafka::TopicPartition& partition,
                          const kafka::Admin::OffsetRange& range);

}  // namespace slipstream::runtime
