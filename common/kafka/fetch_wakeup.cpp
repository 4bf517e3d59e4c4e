#include "common/kafka/fetch_wakeup.h"

#include <string>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

bool HasQueueBackoff() {
  constexpr int kFirstVersion = 0x02020000;
  return rd_kafka_version() >= kFirstVersion;
}

}  // namespace

FetchWakeup::FetchWakeup(rd_kafka_s* client, TopicPartition partition, size_t queue_bytes_max)
    : client_(client), partition_(std::move(partition)), step_bytes_(queue_bytes_max / 4) {}

void FetchWakeup::OnRead(size_t bytes) {
  read_bytes_ += bytes;
  if (read_bytes_ < step_bytes_ || HasQueueBackoff()) return;
  read_bytes_ = 0;
  auto list = MakeList(1);
  rd_kafka_topic_partition_list_add(list.get(), partition_.topic.c_str(), partition_.partition)
      ->offset = RD_KAFKA_OFFSET_END;
  // Without time to wait it sends, and says that it timed out.
  rd_kafka_offsets_for_times(client_, list.get(), 0);
}

Properties FetchDefaults(size_t queue_bytes_max) {
  // Bytes are the bound, and the only one.
  Properties defaults = {{"queued.min.messages", "10000000"},
                         {"queued.max.messages.kbytes", std::to_string(queue_bytes_max / 1024)},
                         {"check.crcs", "true"}};
  if (HasQueueBackoff()) defaults.emplace_back("fetch.queue.backoff.ms", "5");
  return defaults;
}

}  // namespace slipstream::kafka
