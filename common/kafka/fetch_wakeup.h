#pragma once

#include <cstddef>

#include "common/kafka/types.h"

struct rd_kafka_s;

namespace slipstream::kafka {

// FetchWakeup: has librdkafka fetch again as soon as a full queue has room.
//
// Up to 2.1 its fetcher looks at a queue that was full only when something else happens on its
// broker's thread, or a second later; a reader empties the queue in a tenth of that. A request to
// the partition's leader is such a thing: this sends one, of a few bytes, for every quarter of the
// queue that is read, and waits for no answer. From 2.2 on there is fetch.queue.backoff.ms.
//
// Threads   not thread-safe.
// Blocking  never.
class FetchWakeup final {
 public:
  // `client` outlives this.
  FetchWakeup(rd_kafka_s* client, TopicPartition partition, size_t queue_bytes_max);

  // These bytes of keys and values have been taken out of the partition's queue.
  void OnRead(size_t bytes);

 private:
  rd_kafka_s* client_;
  TopicPartition partition_;
  size_t step_bytes_;
  size_t read_bytes_ = 0;  // since the last request
};

// What a consumer's configuration needs besides.
Properties FetchDefaults(size_t queue_bytes_max);

}  // namespace slipstream::kafka
