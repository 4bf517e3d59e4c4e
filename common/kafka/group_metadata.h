#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/status/status.h"

struct rd_kafka_consumer_group_metadata_s;

namespace slipstream::kafka {

// GroupMetadata: which member of which generation of a consumer group someone was, at the moment
// of the assign callback. The broker fences a transaction's offsets by it. Immutable; cheap to
// share. Threads: thread-safe.
class GroupMetadata final {
 public:
  // Takes the handle. kAborted unless it names a member and a generation: the broker takes offsets
  // of "no member" unchecked, so such a one must never be sent.
  static Result<GroupMetadata> Take(rd_kafka_consumer_group_metadata_s* handle);
  // For offsets of a group that has no member: the broker checks nothing, so whoever sends them
  // must know.
  static GroupMetadata OfEmptyGroup(const std::string& group_id);

  const std::string& member_id() const { return member_id_; }
  int32_t generation() const { return generation_; }
  const rd_kafka_consumer_group_metadata_s* handle() const { return handle_.get(); }

 private:
  GroupMetadata() = default;
  // Shared by the consumer that made it and the commit round that uses it.
  std::shared_ptr<const rd_kafka_consumer_group_metadata_s> handle_;
  std::string member_id_;
  int32_t generation_ = -1;
};

// The fields of librdkafka's serialised group metadata ("CGMDv2:"); kDataLoss if it is no such.
struct GroupMetadataFields {
  int32_t generation = -1;
  std::string group_id;
  std::string member_id;
};
Result<GroupMetadataFields> ParseGroupMetadata(std::string_view serialised);

}  // namespace slipstream::kafka
