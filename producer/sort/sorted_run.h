#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::producer {

// SortedRun: records with their keys in an unnamed temporary file, compressed (zstd, level 1),
// written once and then read front to back as often as wanted.
//
// Shape       Append() …, Seal(), then StartReading() and Advance() until it says false.
// Durability  none: the file is gone with the process.
// Threads     one user at a time. All calls may block on the disk.
// Errors      of the file system; kDataLoss if the file does not read as it was written.
class SortedRun final {
 public:
  static Result<std::unique_ptr<SortedRun>> Create(const std::filesystem::path& directory);
  ~SortedRun();

  Status Append(int64_t key, std::string_view record);
  Status Seal();

  Status StartReading();
  // Moves to the next record, the first after StartReading(); false at the end.
  Result<bool> Advance();
  int64_t key() const;
  std::string_view record() const;  // valid until the next Advance()

 private:
  struct Impl;
  explicit SortedRun(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::producer
