#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "producer/csv/csv_reader.h"
#include "producer/csv/rejected_rows.h"
#include "producer/flights/flight_source.h"
#include "producer/flights/layout.h"

namespace slipstream::producer {

// CsvFlights: the flights of some CSV files, one after the other, each with its own layout.
// A row that is no flight goes to the RejectedRows and reading goes on, unless `is_strict`.
// Errors: of the file system; kInvalidArgument for a file of no known layout, and for a bad row
// where is_strict. Messages name file and line.
class CsvFlights final : public FlightSource {
 public:
  struct Options {
    std::vector<std::filesystem::path> files;
    std::string layout;  // empty: recognised, file by file
    bool is_strict = false;
  };

  // `rejected` must outlive this.
  CsvFlights(Options options, RejectedRows& rejected);

  Result<bool> Next(Flight& flight) override;
  Status Rewind() override;

 private:
  Status OpenNextFile();
  // Reads the first row and takes the layout from it. False if the file has no rows.
  Result<bool> ReadLayout();
  Status Reject(const std::string& reason);

  const Options options_;
  RejectedRows& rejected_;
  size_t file_index_ = 0;  // of the file to be opened next
  std::optional<CsvReader> reader_;
  std::optional<Layout> layout_;
  bool row_is_pending_ = false;  // the first row of a file without a header
  uint64_t flight_count_ = 0;
};

}  // namespace slipstream::producer
