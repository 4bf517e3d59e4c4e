#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slipstream::sql {

// RowErrors: the rows of a batch whose evaluation failed, and why. Free while nothing fails; a row
// that fails has NULL as its value and is taken out of the batch by whoever asked for the
// evaluation.
class RowErrors {
 public:
  struct Entry {
    uint32_t row = 0;
    std::string message;
  };

  void Add(size_t row, std::string message) {
    entries_.push_back({.row = static_cast<uint32_t>(row), .message = std::move(message)});
  }
  bool empty() const { return entries_.empty(); }
  void clear() { entries_.clear(); }
  // In the order they were found; a row may stand there more than once, its first entry counts.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace slipstream::sql
