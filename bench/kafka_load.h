#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::bench {

// What Kafka alone gives, and what goes into it for a job to read.

struct KafkaLoadOptions {
  std::string brokers;
  std::string topic;
  uint64_t events = 0;
};

// Sends Nexmark's events (bench/nexmark_events.h), in turn to all partitions, and waits for the
// broker.
Status FillTopic(const KafkaLoadOptions& options);

// How fast librdkafka hands the records of a topic over, and nothing else; or with simdjson over
// three fields of each.
struct FetchFigures {
  uint64_t events = 0;
  uint64_t bytes = 0;
  double wall_s = 0;
  double cpu_s = 0;       // of all threads of the process
  uint64_t checksum = 0;  // of the fields, so that nobody can leave the reading out
};
// Reads `events` records, from the first of every partition on.
Result<FetchFigures> FetchTopic(const KafkaLoadOptions& options, bool parses);

// How long events take through a job that copies the text `extra` from `topic` to `result_topic`:
// sends `rate` events a second for `duration` and reads what comes, committed alone. The first two
// seconds do not count. Microseconds, sorted.
Result<std::vector<int64_t>> MeasureLatency(const KafkaLoadOptions& options,
                                            const std::string& result_topic,
                                            uint64_t rate,
                                            std::chrono::seconds duration);

}  // namespace slipstream::bench
