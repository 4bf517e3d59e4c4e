#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gateway/charts/chart.h"

namespace slipstream::gateway::charts {

// ChartFolder: the charts that the "*.json" files of a local folder describe, as they are now: what
// is edited is read again.
//
// Bounds   kChartsMax files of at most kFileBytesMax; others are left out.
// Threads  not thread-safe.
class ChartFolder final {
 public:
  static constexpr size_t kChartsMax = 40;
  static constexpr uintmax_t kFileBytesMax = 64 * 1024;

  struct Entry {
    Chart chart;
    Status status;         // why there is none
    uint64_t version = 0;  // another one for each time that the file was read
  };

  explicit ChartFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // By name. A folder that is not there holds none.
  const std::map<std::string, Entry>& Refresh();

 private:
  struct Seen {
    std::filesystem::file_time_type modified_at;
    uintmax_t bytes = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };

  const std::filesystem::path folder_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Seen> seen_;
  uint64_t last_version_ = 0;
};

}  // namespace slipstream::gateway::charts
