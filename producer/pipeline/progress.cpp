#include "producer/pipeline/progress.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace slipstream::producer {
namespace {

constexpr std::chrono::milliseconds kBarPeriod{200};
constexpr std::chrono::seconds kLinePeriod{5};

}  // namespace

Progress::Progress(Style style, std::FILE* out, const Clock& clock)
    : style_(style), out_(out), clock_(clock), start_(clock.Now()) {
  next_ = start_ + (style == Style::kBar ? SteadyTime::duration(kBarPeriod) : kLinePeriod);
}

Progress::~Progress() {
  if (bar_is_shown_) fmt::print(out_, "\n");
}

Progress::Style Progress::StyleFor(std::FILE* out) {
  return ::isatty(::fileno(out)) == 1 ? Style::kBar : Style::kLines;
}

bool Progress::IsTime() {
  if (style_ == Style::kQuiet) return false;
  SteadyTime now = clock_.Now();
  if (now < next_) return false;
  next_ = now + (style_ == Style::kBar ? SteadyTime::duration(kBarPeriod) : kLinePeriod);
  return true;
}

void Progress::Show(const std::string& text) {
  if (style_ == Style::kBar) {
    fmt::print(out_, "\r\x1b[K{}", text);
    bar_is_shown_ = true;
  } else {
    fmt::print(out_, "{}\n", text);
  }
  std::fflush(out_);
}

void Progress::Reading(uint64_t rows) {
  if (IsTime()) Show(fmt::format("reading: {} rows", rows));
}

void Progress::Sending(const Counts& counts) {
  if (!IsTime()) return;
  std::chrono::duration<double> elapsed = clock_.Now() - start_;
  double rate = static_cast<double>(counts.sent) / std::max(elapsed.count(), 1e-3);
  if (style_ == Style::kBar) {
    Show(Bar(counts, rate));
    return;
  }
  std::string total = counts.total > 0 ? fmt::format(" of {}", counts.total) : "";
  Show(fmt::format("sent {}{} rows, {} acknowledged, {:.0f} rows/s",
                   counts.sent,
                   total,
                   counts.acknowledged,
                   rate));
}

void Progress::Say(std::string_view line) {
  if (bar_is_shown_) fmt::print(out_, "\r\x1b[K");
  bar_is_shown_ = false;
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

std::string Progress::Bar(const Counts& counts, double rows_per_second) {
  constexpr uint64_t kWidth = 30;
  std::string rate = fmt::format("{:.0f} rows/s", rows_per_second);
  if (counts.total == 0) {
    return fmt::format("{} sent, {} acknowledged, {}", counts.sent, counts.acknowledged, rate);
  }
  uint64_t done = std::min(counts.acknowledged, counts.total);
  uint64_t filled = done * kWidth / counts.total;
  return fmt::format("[{:#<{}}{:-<{}}] {:3} %  {} of {} rows, {}",
                     "",
                     filled,
                     "",
                     kWidth - filled,
                     done * 100 / counts.total,
                     done,
                     counts.total,
                     rate);
}

}  // namespace slipstream::producer
