#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/daemon/flags.h"

namespace slipstream::producer {

// What both commands share: where messages go, and how fast.
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
  daemon::DaemonFlags daemon;
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
  size_t devices = 3;
  std::vector<std::chrono::milliseconds> intervals;
  uint64_t seed = 1;
  std::string csv_file;
  bool is_strict = false;
};

}  // namespace slipstream::producer
