#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace slipstream::daemon {

// CPU time, memory now and at its peak and open files of this process, under the names
// every Prometheus client library uses.
std::vector<prometheus::MetricFamily> CollectProcessMetrics();

}  // namespace slipstream::daemon
