#include "gateway/http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace slipstream::gateway::http {
namespace {

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& Answers(prometheus::Registry& registry, const char* code) {
  return prometheus::BuildCounter()
      .Name("slipstream_gateway_answers_total")
      .Help("Requests answered, by the class of the code.")
      .Register(registry)
      .Add({{"code", code}});
}

}  // namespace

Metrics::Metrics(prometheus::Registry& registry)
    : connections(Gauge(registry, "slipstream_gateway_connections", "Open connections.")),
      busy_connections(Gauge(registry,
                             "slipstream_gateway_busy_connections",
                             "Connections with a request that is not answered yet.")),
      reserved_bytes(Gauge(registry,
                           "slipstream_gateway_reserved_bytes",
                           "Memory set aside for uploads and downloads that run.")),
      refused(Counter(registry,
                      "slipstream_gateway_refused_connections_total",
                      "Connections closed at once because there were too many.")),
      timeouts(Counter(registry,
                       "slipstream_gateway_timeouts_total",
                       "Requests broken off because the client was too slow.")),
      overloads(Counter(registry,
                        "slipstream_gateway_overloads_total",
                        "Requests refused because no memory became free in time.")),
      bytes_received(Counter(
          registry, "slipstream_gateway_received_bytes_total", "Bytes of requests' bodies.")),
      bytes_sent(
          Counter(registry, "slipstream_gateway_sent_bytes_total", "Bytes of answers' bodies.")),
      answers_good(Answers(registry, "2xx")),
      answers_client(Answers(registry, "4xx")),
      answers_server(Answers(registry, "5xx")),
      request_seconds(prometheus::BuildHistogram()
                          .Name("slipstream_gateway_request_seconds")
                          .Help("Time from a request's head to the end of its answer.")
                          .Register(registry)
                          .Add({},
                               prometheus::Histogram::BucketBoundaries{
                                   0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100})),
      operations(registry,
                 {.prefix = "slipstream_gateway_operation",
                  .label = "operation",
                  .help = "Time from a request's head to the end of its answer."}) {}

}  // namespace slipstream::gateway::http
