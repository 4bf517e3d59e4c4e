#pragma once

#include "common/metrics/call_metrics.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace slipstream::datanode {

// Metrics: the figures of one datanode, under slipstream_datanode_…. Ownership: registered in, and
// owned by, the registry, which must outlive them. Threads: thread-safe.
struct Metrics {
  explicit Metrics(prometheus::Registry& registry);

  metrics::CallMetrics calls;  // of the service
  prometheus::Counter& blocks_written;
  prometheus::Counter& bytes_written;
  prometheus::Counter& writes_failed;
  prometheus::Counter& frames_read;
  prometheus::Counter& bytes_read;
  prometheus::Counter& reads_failed;
  prometheus::Histogram& write_seconds;  // of a stream, from its header to its answer
  prometheus::Gauge& replicas;
  prometheus::Gauge& parked_replicas;
  prometheus::Gauge& used_bytes;
  prometheus::Gauge& free_bytes;
  prometheus::Gauge& active_writes;
  prometheus::Gauge& has_master;
};

}  // namespace slipstream::datanode
