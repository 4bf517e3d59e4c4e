#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/kafka/client.h"
#include "common/kafka/types.h"

// What both producers share. Only for the .cpp files of this folder.

namespace slipstream::kafka {

// Our settings for producers, below what a user sets.
const Properties& ProducerDefaults();

// The topic handles of a producer, by name. Threads: not thread-safe.
class TopicTable {
 public:
  Result<rd_kafka_topic_t*> Open(rd_kafka_t* client, const std::string& name);
  // Before the client is destroyed.
  void Clear() { topics_.clear(); }

 private:
  std::map<std::string, Holder<rd_kafka_topic_t>, std::less<>> topics_;
};

// A record's tag, as librdkafka carries it along.
inline void* ToOpaque(int64_t tag) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): never followed, only carried
  return reinterpret_cast<void*>(static_cast<intptr_t>(tag));
}
inline int64_t FromOpaque(void* opaque) {
  return reinterpret_cast<intptr_t>(opaque);
}

// Copies the record into librdkafka's queue; RD_KAFKA_RESP_ERR__QUEUE_FULL when there is no room.
rd_kafka_resp_err_t Enqueue(rd_kafka_t* client,
                            rd_kafka_topic_t* topic,
                            const OutgoingRecord& record);

}  // namespace slipstream::kafka
