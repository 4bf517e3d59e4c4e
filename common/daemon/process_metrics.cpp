#include "common/daemon/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "common/clock/clock.h"
#include "common/daemon/flags.h"

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

prometheus::MetricFamily BuildInfo(const std::string& daemon) {
  prometheus::MetricFamily family = OneValue("slipstream_build_info",
                                             "Always 1; the labels say what runs.",
                                             prometheus::MetricType::Gauge,
                                             1);
  family.metric.front().label = {{"daemon", daemon}, {"version", Version()}};
  return family;
}

// When it started, in seconds since 1970: what the kernel counts from its own start.
double StartSeconds() {
  std::ifstream kernel("/proc/stat");
  std::string word;
  double boot_seconds = 0;
  while (kernel >> word) {
    if (word == "btime") {
      kernel >> boot_seconds;
      break;
    }
  }
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // The name, in brackets, may hold spaces; the start is the 20th field behind it.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  for (int i = 0; i < 20; ++i)
    fields >> word;
  return boot_seconds +
         std::strtod(word.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double OpenFilesMax() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
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

std::vector<prometheus::MetricFamily> CollectProcessMetrics(const std::string& daemon) {
  using prometheus::MetricType;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {
      BuildInfo(daemon),
      OneValue(
          "slipstream_clock_seconds",
          "What this machine's clock shows, since 1970.",
          MetricType::Gauge,
          std::chrono::duration<double>(SystemClock::Get().WallNow().time_since_epoch()).count()),
      OneValue("process_start_time_seconds",
               "When it started, since 1970.",
               MetricType::Gauge,
               StartSeconds()),
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
      OneValue("process_max_fds",
               "File descriptors that may be open.",
               MetricType::Gauge,
               OpenFilesMax()),
  };
}

}  // namespace slipstream::daemon
