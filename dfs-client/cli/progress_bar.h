#pragma once

#include <cstdint>
#include <string>

#include "common/clock/clock.h"

namespace slipstream::dfs::cli {

// ProgressBar: how far a long copy is, on one line of stderr; nothing where that is no terminal,
// and nothing for copies of less than a second. Gone again when the object is.
// Threads: not thread-safe.
class ProgressBar final {
 public:
  // `bytes_total` 0: unknown.
  ProgressBar(std::string label, uint64_t bytes_total);
  ~ProgressBar();

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Add(uint64_t bytes);

 private:
  void Draw(SteadyTime now);

  const std::string label_;
  const uint64_t bytes_total_;
  const bool is_terminal_;
  const SteadyTime started_;
  SteadyTime next_draw_;
  uint64_t bytes_ = 0;
  bool is_drawn_ = false;
};

}  // namespace slipstream::dfs::cli
