#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// Admin: topics, their settings and their ends.
//
// Threads   thread-safe.
// Blocking  every call, up to Options::timeout.
// Errors    kUnavailable (no broker answers), kNotFound, kAlreadyExists, kInvalidArgument.
class Admin final {
 public:
  struct Options {
    Properties properties;  // at least bootstrap.servers
    std::chrono::milliseconds timeout{10'000};
    bool sees_uncommitted = false;  // QueryOffsets counts what open transactions have written
    std::string logger = "kafka.admin";
  };

  struct TopicSpec {
    std::string name;
    int32_t partition_count = 1;
    int32_t replication_factor = -1;  // -1: the broker's default
    Properties config;                // "cleanup.policy", …
  };

  // Half-open: the first offset still there, and the one after the last that a reader of
  // committed records sees.
  struct OffsetRange {
    int64_t begin = 0;
    int64_t end = 0;
  };

  static Result<std::unique_ptr<Admin>> Create(Options options);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // kAlreadyExists if it does. Returns when the cluster's metadata shows the topic.
  Status CreateTopic(const TopicSpec& spec);
  // Creates it unless it exists; an existing one must have the partition count, and every setting
  // of spec.config: kFailedPrecondition naming each that differs. A partition_count of 0 takes any.
  Status EnsureTopic(const TopicSpec& spec);
  // Gives an existing topic more partitions. Existing keys then lie elsewhere than new ones.
  Status GrowTopic(const std::string& name, int32_t partition_count);
  // Returns when the topic is gone from the metadata; OK if it never was.
  Status DeleteTopic(const std::string& name);

  // The number of partitions; kNotFound without the topic.
  Result<int32_t> PartitionCount(const std::string& topic);
  // All topics that are not Kafka's own, with their partition counts.
  Result<std::map<std::string, int32_t>> ListTopics();
  Result<std::map<std::string, std::string>> DescribeConfig(const std::string& topic);

  Result<OffsetRange> QueryOffsets(const TopicPartition& partition);
  // The offset of the first record with that time (milliseconds since 1970 UTC) or a later one;
  // nullopt: there is none.
  Result<std::optional<int64_t>> OffsetAt(const TopicPartition& partition, int64_t timestamp_ms);
  // What the group has committed for the partition; nullopt: nothing.
  Result<std::optional<int64_t>> CommittedOffset(const std::string& group_id,
                                                 const TopicPartition& partition);
  // Discards all records below each offset. kFailedPrecondition for topics that are only compacted.
  Status DeleteRecords(const std::vector<PartitionOffset>& before);

  // A consumer of a group. By their names, compared as bytes, the range assignor puts them in
  // order.
  struct GroupMember {
    std::string name;  // its instance id, or else what the group's coordinator calls it
    std::string client_id;
  };
  // Those that a group's partitions are shared out to, in order. kUnavailable while it has none, or
  // is about to share them out anew.
  Result<std::vector<GroupMember>> GroupMembers(const std::string& group_id);
  // Forgets a group without members and all its offsets; OK if there is none. kUnavailable while
  // it has members.
  Status DeleteGroup(const std::string& group_id);

  std::string last_error() const;

 private:
  Result<int32_t> AwaitTopic(const std::string& topic);

  struct Impl;
  explicit Admin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
