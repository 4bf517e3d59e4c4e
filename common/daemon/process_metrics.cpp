#include "common/daemon/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

namespace slipstream::daemon {
namespace {

prometheus::MetricFamily OneValue(std::string name,
                                  std::string help,
                                  prometheus::MetricType type,
                                  double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  family.metric.push_back(std::move(metric));
  return family;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  double count = 0;
  while (!error && entries != std::filesystem::directory_iterator()) {
    ++count;
    entries.increment(error);
  }
  return count;
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcessMetrics() {
  using prometheus::MetricType;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {
      OneValue("process_cpu_seconds_total",
               "User and system time.",
               MetricType::Counter,
               Seconds(usage.ru_utime) + Seconds(usage.ru_stime)),
      OneValue("process_resident_memory_bytes", "Now.", MetricType::Gauge, ResidentBytes()),
      OneValue("process_resident_memory_max_bytes",
               "At its peak.",
               MetricType::Gauge,
               static_cast<double>(usage.ru_maxrss) * 1024),
      OneValue("process_open_fds", "Open file descriptors.", MetricType::Gauge, OpenFiles()),
  };
}

}  // namespace slipstream::daemon
