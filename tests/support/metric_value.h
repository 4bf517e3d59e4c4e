#pragma once

#include <string>

namespace slipstream::test_support {

// The value of a metric without labels in a page of /metrics; -1 if it is not there.
double MetricValue(const std::string& page, const std::string& name);

}  // namespace slipstream::test_support
