#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/daemon/flags.h"

namespace slipstream::producer {

// What is done to the messages on their way, and where that is listed.
struct FaultOptions {
  std::chrono::milliseconds disorder{0};
  double late_ratio = 0;
  std::chrono::milliseconds late_by{60'000};
  double corrupt_ratio = 0;
  std::string planted_file;
  uint64_t seed = 1;  // the command's
};

// What both commands share: where messages go, how fast, and in what state.
struct OutputOptions {
  std::string brokers = "localhost:9092";
  std::string topic;
  int32_t partitions = 0;
  std::vector<std::pair<std::string, std::string>> properties;
  std::chrono::milliseconds connect_timeout{60'000};
  std::chrono::milliseconds delivery_timeout{300'000};
  std::string acks_file;
  bool is_dry_run = false;
  bool is_quiet = false;
  double speed = 0;
  uint64_t rows_per_second = 0;
  uint64_t limit = 0;
  FaultOptions faults;
  daemon::DaemonFlags daemon;
  std::string tls_dir;  // of the admin port; empty: no TLS
};

struct SortOptions {
  bool is_sorted = true;
  uint64_t memory_bytes = 100'000'000;
  std::string temp_directory;  // empty: the system's
};

struct FlightsOptions {
  OutputOptions output;
  SortOptions sort;
  std::vector<std::string> csv_files;
  std::string layout;
  bool is_synthetic = false;
  uint64_t flights = 336'776;
  uint64_t seed = 1;
  std::string write_csv;
  bool is_strict = false;
  bool loops = false;
  bool shifts_to_now = false;
  std::string key = "origin";
  bool has_numbers_as_strings = false;
};

struct SensorsOptions {
  OutputOptions output;
  SortOptions sort;
  std::string profile = "weather";
  size_t devices = 3;
  std::vector<std::chrono::milliseconds> intervals;  // empty: the profile's
  // Of the first readings, on the clocks of the profile; empty: now.
  std::optional<std::chrono::local_time<std::chrono::milliseconds>> start;
  uint64_t seed = 1;
  double anomaly_ratio = 0;
  std::string csv_file;
  bool is_strict = false;
};

}  // namespace slipstream::producer
