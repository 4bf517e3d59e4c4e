#include "processor/runtime/job_end.h"

#include <algorithm>
#include <vector>

#include "processor/state/mark.h"

namespace slipstream::runtime {

bool HasJobEnded(kafka::GroupConsumer& consumer,
                 const JobContext& context,
                 std::chrono::milliseconds timeout) {
  std::vector<kafka::TopicPartition> all;
  for (const JobInput& input : context.inputs) {
    for (int32_t p = 0; p < input.partition_count; ++p)
      all.push_back({input.topic, p});
  }
  const auto offsets = consumer.Committed(all, timeout);
  if (!offsets.ok() || offsets->size() < all.size()) return false;
  return std::all_of(offsets->begin(), offsets->end(), [](const kafka::PartitionOffset& offset) {
    const Result<OffsetMetadata> metadata = ParseOffsetMetadata(offset.metadata);
    return metadata.ok() && metadata->is_done;
  });
}

}  // namespace slipstream::runtime
