#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/kafka/group_metadata.h"
#include "common/kafka/partition_queue.h"
#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// GroupConsumer: a member of a consumer group that reads each of its partitions from a queue of
// its own, commits nothing by itself, and starts only where it is told to.
//
//   Subscribe; Poll → OnAssigned → Committed, Assign → PartitionQueue::Read… → OnRevoked → …; Close
//
// Eager rebalances with the range assignor: all partitions are revoked before any is assigned.
// Threads   one thread makes all calls; the listener is called on it, inside Poll and Close.
// Blocking  as each call says. Heartbeats go on meanwhile, on librdkafka's threads; a member that
//           calls neither Poll nor KeepPlace for max_poll_interval leaves the group.
class GroupConsumer final {
 public:
  struct Options {
    Properties properties;  // at least bootstrap.servers
    std::string group_id;
    std::string instance_id;  // group.instance.id: a restart within the session gets the same
                              // partitions without a rebalance
    // The client.id, by which the members of a process can be told from others
    // (Admin::GroupMembers); empty: as the properties say.
    std::string client_id = {};
    std::chrono::milliseconds session_timeout{10'000};
    std::chrono::milliseconds max_poll_interval{120'000};
    // Fetched and not yet read, for each partition.
    size_t queue_bytes_max = size_t{16} << 20;
    // Written to (8 bytes) whenever a queue or the consumer itself has something new; -1: none.
    int event_fd = -1;
    std::string logger = "kafka.consumer";
  };

  // Called inside Poll or Close.
  class Listener {
   public:
    virtual ~Listener() = default;
    // `group` must accompany what is committed until the next OnRevoked. The listener calls
    // Committed and Assign, or Assign with nothing.
    virtual void OnAssigned(const std::vector<TopicPartition>& partitions,
                            const GroupMetadata& group) = 0;
    // `is_lost`: others may own them already, so nothing may be committed any more. Queues must be
    // destroyed before it returns.
    virtual void OnRevoked(const std::vector<TopicPartition>& partitions, bool is_lost) = 0;
  };

  static Result<std::unique_ptr<GroupConsumer>> Create(const Options& options, Listener& listener);
  ~GroupConsumer();  // without Close it leaves the group only by its session's end
  GroupConsumer(const GroupConsumer&) = delete;
  GroupConsumer& operator=(const GroupConsumer&) = delete;

  Status Subscribe(const std::vector<std::string>& topics);

  // Serves rebalances. kAborted: this object is of no more use, and has not told the listener: it
  // was fenced by another of the same instance id, or was given partitions without a member id or a
  // generation to commit them by.
  Status Poll(std::chrono::milliseconds timeout);

  // For work that takes longer than max_poll_interval: the member is at it still, and keeps its
  // place. Serves nothing, so the listener is not called; a rebalance that has begun puts the
  // member out after max_poll_interval all the same.
  void KeepPlace();

  // The group's committed positions; those without one are left out. Waits while transactions on
  // them are open; kUnavailable if they still are, or no broker answers, after `timeout`.
  Result<std::vector<PartitionOffset>> Committed(const std::vector<TopicPartition>& partitions,
                                                 std::chrono::milliseconds timeout);

  // Reads exactly these partitions, from these offsets, each into the queue given back for it.
  // Whatever was read ahead before is dropped, and queues of earlier calls must be gone.
  Result<std::vector<std::unique_ptr<PartitionQueue>>> Assign(
      const std::vector<PartitionOffset>& positions);

  // The last offset + 1 that the broker has told, of what this consumer may see; -1: not yet.
  int64_t KnownEndOffset(const TopicPartition& partition) const;

  // Leaves the group (but for static members, whose place is kept for the session), after
  // OnRevoked; an assignment that comes meanwhile is declined. Idempotent.
  void Close();

  std::string last_error() const;

 private:
  struct Impl;
  explicit GroupConsumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
