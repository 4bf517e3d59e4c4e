#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/clock/clock.h"

namespace slipstream::producer {

// Progress: how far a run is, for whoever watches: on a terminal a bar that redraws itself, else
// a line every five seconds. Nothing at all for a run shorter than that.
// Threads: one user at a time.
class Progress final {
 public:
  enum class Style { kBar, kLines, kQuiet };

  struct Counts {
    uint64_t sent = 0;
    uint64_t acknowledged = 0;
    uint64_t total = 0;  // 0: not known
  };

  // `out` and `clock` must outlive this.
  Progress(Style style, std::FILE* out, const Clock& clock);
  ~Progress();

  // Bar on a terminal, lines elsewhere.
  static Style StyleFor(std::FILE* out);

  void Reading(uint64_t rows);
  void Sending(const Counts& counts);
  // A line of its own between the bars.
  void Say(std::string_view line);

  // "[#####-----] 50 % …" as the bar shows it, without the carriage return.
  static std::string Bar(const Counts& counts, double rows_per_second);

 private:
  bool IsTime();
  void Show(const std::string& text);

  const Style style_;
  std::FILE* const out_;
  const Clock& clock_;
  const SteadyTime start_;
  SteadyTime next_;
  bool bar_is_shown_ = false;
};

}  // namespace slipstream::producer
