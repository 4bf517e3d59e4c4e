#pragma once

#include "common/metrics/call_metrics.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace slipstream::gateway::http {

// Metrics: the figures of the HTTP server, under slipstream_gateway_…. Ownership: registered in,
// and owned by, the registry, which must outlive them. Threads: thread-safe.
struct Metrics {
  explicit Metrics(prometheus::Registry& registry);

  prometheus::Gauge& connections;
  prometheus::Gauge& busy_connections;     // with a request in hand
  prometheus::Gauge& reserved_bytes;       // of the memory budget
  prometheus::Counter& refused;            // connections past the limit
  prometheus::Counter& timeouts;           // clients too slow
  prometheus::Counter& overloads;          // no memory in time
  prometheus::Counter& bytes_received;     // of bodies
  prometheus::Counter& bytes_sent;         // of bodies
  prometheus::Counter& answers_good;       // 2xx and 3xx
  prometheus::Counter& answers_client;     // 4xx
  prometheus::Counter& answers_server;     // 5xx
  prometheus::Histogram& request_seconds;  // from the head to the last byte of the answer
  metrics::CallMetrics operations;         // the same by operation, of those that were answered
};

}  // namespace slipstream::gateway::http
