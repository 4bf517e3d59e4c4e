#include "dfs-datanode/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace slipstream::datanode {
namespace {

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Metrics(prometheus::Registry& registry)
    : calls(registry,
            {.prefix = "slipstream_datanode_rpc",
             .label = "method",
             .help = "Time from a call's arrival to the end of its answer."}),
      blocks_written(Counter(registry,
                             "slipstream_datanode_blocks_written_total",
                             "Blocks made durable and acknowledged.")),
      bytes_written(Counter(
          registry, "slipstream_datanode_written_bytes_total", "Stored bytes of those blocks.")),
      writes_failed(Counter(registry,
                            "slipstream_datanode_writes_failed_total",
                            "Streams of blocks that ended in an error.")),
      frames_read(
          Counter(registry, "slipstream_datanode_frames_read_total", "Frames sent to readers.")),
      bytes_read(Counter(
          registry, "slipstream_datanode_read_bytes_total", "Stored bytes sent to readers.")),
      reads_failed(Counter(
          registry, "slipstream_datanode_reads_failed_total", "Reads that ended in an error.")),
      write_seconds(prometheus::BuildHistogram()
                        .Name("slipstream_datanode_write_seconds")
                        .Help("Time of a stream of blocks, from its header to its answer.")
                        .Register(registry)
                        .Add({},
                             prometheus::Histogram::BucketBoundaries{
                                 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30})),
      replicas(Gauge(registry, "slipstream_datanode_replicas", "Live replicas.")),
      parked_replicas(Gauge(registry,
                            "slipstream_datanode_parked_replicas",
                            "Replicas ordered deleted and not yet removed.")),
      used_bytes(
          Gauge(registry, "slipstream_datanode_used_bytes", "Stored bytes of all replicas.")),
      free_bytes(Gauge(
          registry, "slipstream_datanode_free_bytes", "Room for replicas, without the reserve.")),
      active_writes(
          Gauge(registry, "slipstream_datanode_active_writes", "Streams being received now.")),
      has_master(Gauge(
          registry, "slipstream_datanode_has_master", "1 while the master has answered lately.")) {}

}  // namespace slipstream::datanode
