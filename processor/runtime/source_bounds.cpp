#include "processor/runtime/source_bounds.h"

#include <algorithm>
#include <map>
#include <optional>

namespace slipstream::runtime {
namespace {

int64_t Within(const kafka::Admin::OffsetRange& range, int64_t offset) {
  return std::clamp(offset, range.begin, range.end);
}

Result<int64_t> OffsetAt(kafka::Admin& admin,
                         const kafka::TopicPartition& partition,
                         int64_t timestamp_ms,
                         const kafka::Admin::OffsetRange& range) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> offset, admin.OffsetAt(partition, timestamp_ms));
  return Within(range, offset.value_or(range.end));
}

int64_t SpecificOffset(const std::map<int32_t, int64_t>& offsets,
                       const kafka::TopicPartition& partition,
                       const kafka::Admin::OffsetRange& range) {
  const auto found = offsets.find(partition.partition);
  return found == offsets.end() ? range.begin : Within(range, found->second);
}

}  // namespace

Result<int64_t> StartOffset(const KafkaSourceSpec& source,
                            kafka::Admin& admin,
                            const kafka::TopicPartition& partition,
                            const kafka::Admin::OffsetRange& range) {
  using Startup = KafkaSourceSpec::Startup;
  switch (source.startup) {
    case Startup::kLatest:
      return range.end;
    case Startup::kTimestamp:
      return OffsetAt(admin, partition, source.startup_timestamp_ms, range);
    case Startup::kSpecificOffsets:
      return SpecificOffset(source.startup_offsets, partition, range);
    case Startup::kGroupOffsets:
    case Startup::kEarliest:
      break;
  }
  return range.begin;
}

Result<int64_t> EndOffset(const KafkaSourceSpec& source,
                          kafka::Admin& admin,
                          const std::string& group_id,
                          const kafka::TopicPartition& partition,
                          const kafka::Admin::OffsetRange& range) {
  using Bound = KafkaSourceSpec::Bound;
  switch (source.bound) {
    case Bound::kTimestamp:
      return OffsetAt(admin, partition, source.bound_timestamp_ms, range);
    case Bound::kSpecificOffsets:
      return SpecificOffset(source.bound_offsets, partition, range);
    case Bound::kGroupOffsets: {
      ASSIGN_OR_RETURN(const std::optional<int64_t> offset,
                       admin.CommittedOffset(group_id, partition));
      if (offset) return Within(range, *offset);
      return InvalidArgument("'scan.bounded.mode' = 'group-offsets': group " + group_id +
                             " has no offset of " + kafka::ToString(partition));
    }
    case Bound::kLatest:
      break;
  }
  return range.end;
}

}  // namespace slipstream::runtime
