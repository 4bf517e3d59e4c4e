#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

struct KafkaRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;  // none: a tombstone
  int32_t partition = -1;            // when producing: -1 lets the key decide
  int64_t offset = -1;               // set by reading
  int64_t timestamp_ms = -1;         // when producing: -1 is now
  std::vector<std::pair<std::string, std::string>> headers;
};

// KafkaClient: what a test does to Kafka itself: make topics, put records in, look at everything
// that is there. Deliberately not the product's own code, so that a fault of that is not its own
// witness.
// Threads      not thread-safe. Blocking: every call waits for the broker, at most `deadline`.
class KafkaClient final {
 public:
  explicit KafkaClient(std::string bootstrap,
                       std::chrono::milliseconds deadline = std::chrono::seconds(60))
      : bootstrap_(std::move(bootstrap)), deadline_(deadline) {}

  // kAlreadyExists if it does.
  Status CreateTopic(const std::string& topic,
                     int partitions,
                     const std::map<std::string, std::string>& config = {}) const;
  Status DeleteTopic(const std::string& topic) const;

  // Every topic with its number of partitions, Kafka's own (__consumer_offsets …) left out.
  Result<std::map<std::string, int>> Topics() const;

  // Returns once every record is acknowledged by the broker; an error if one was refused.
  Status Produce(const std::string& topic, const std::vector<KafkaRecord>& records) const;

  // All records of the topic that are committed (isolation level read_committed): per partition in
  // order, up to the last stable offset, partition 0 first.
  Result<std::vector<KafkaRecord>> ReadAll(const std::string& topic) const;
  // The number of those.
  Result<int64_t> Count(const std::string& topic) const;

  // What a consumer group has committed on `topic`, per partition; partitions without an offset
  // are left out. Offsets of an open transaction are waited for (stable offsets).
  Result<std::map<int32_t, int64_t>> CommittedOffsets(const std::string& group,
                                                      const std::string& topic) const;

 private:
  const std::string bootstrap_;
  const std::chrono::milliseconds deadline_;
};

}  // namespace slipstream::test_support
