#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Kafka's nouns, without librdkafka's header: it is included by the .cpp files of this folder and
// by holders.h alone.

namespace slipstream::kafka {

// librdkafka's configuration names and values, later entries win.
using Properties = std::vector<std::pair<std::string, std::string>>;

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// "topic[3]": for messages.
std::string ToString(const TopicPartition& partition);

// Where a partition is read from, or committed: the offset of the next record.
struct PartitionOffset {
  TopicPartition partition;
  int64_t offset = 0;
  std::string metadata;  // of a committed offset
};

struct Header {
  std::string_view name;
  std::string_view value;
};

// A record to be sent. The views live for the call.
struct OutgoingRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: a tombstone
  int32_t partition = -1;                 // < 0: chosen by the partitioner
  int64_t timestamp_ms = 0;               // since 1970 UTC; 0: now
  const Header* headers = nullptr;
  size_t header_count = 0;
  int64_t tag = 0;  // comes back through Producer::Options::on_acknowledged
};

// The logical start positions of an assignment.
inline constexpr int64_t kOffsetBeginning = -2;
inline constexpr int64_t kOffsetEnd = -1;

}  // namespace slipstream::kafka
