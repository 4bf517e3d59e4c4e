#include "tests/support/metric_value.h"

namespace slipstream::test_support {

double MetricValue(const std::string& page, const std::string& name) {
  const size_t at = page.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
}

}  // namespace slipstream::test_support
