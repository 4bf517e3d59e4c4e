#pragma once

#include <cstddef>
#include <string>

#include "common/status/status.h"
#include "gateway/charts/topic_rows.h"

namespace slipstream::gateway::charts {

// The newest records of a topic, at most `records_max` of each partition, the newest first, as
// JSON:
// {"topic", "records": [{"partition", "offset", "at_ms", "key", "value", "headers"}]}. Texts longer
// than kFieldBytesMax are cut. Blocks, a second or so.
inline constexpr size_t kRecordsMax = 200;
inline constexpr size_t kFieldBytesMax = 4'096;
Result<std::string> NewestRecordsText(KafkaReads& reads,
                                      const std::string& topic,
                                      size_t records_max);

}  // namespace slipstream::gateway::charts
