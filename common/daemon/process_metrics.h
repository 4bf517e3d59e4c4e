#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace slipstream::daemon {

// CPU time, memory now and at its peak, open files and their limit, and the start of this
// process, under the names every Prometheus client library uses; slipstream_build_info, which is 1,
// with the labels daemon and version; and slipstream_clock_seconds, by which a clock that is wrong
// is found.
std::vector<prometheus::MetricFamily> CollectProcessMetrics(const std::string& daemon);

}  // namespace slipstream::daemon
