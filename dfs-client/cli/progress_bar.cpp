#include "dfs-client/cli/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"

namespace slipstream::dfs::cli {
namespace {

constexpr std::chrono::milliseconds kFirstDraw{1'000};
constexpr std::chrono::milliseconds kDrawInterval{200};
constexpr uint64_t kBarWidth = 30;
constexpr const char* kClearLine = "\r\x1b[K";

size_t TerminalColumns() {
  winsize size{};
  constexpr size_t kColumnsDefault = 80;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                         : kColumnsDefault;
}

// The end of a path, which tells more than its beginning, in up to `bytes_max` bytes.
std::string EndOf(const std::string& path, size_t bytes_max) {
  constexpr std::string_view kCut = "...";
  if (path.size() <= bytes_max) return path;
  if (bytes_max <= kCut.size()) return "";
  size_t begin = path.size() - (bytes_max - kCut.size());
  while (begin < path.size() && (static_cast<unsigned char>(path[begin]) & 0xc0U) == 0x80)
    ++begin;  // not in the middle of a character
  return std::string(kCut) + path.substr(begin);
}

}  // namespace

ProgressBar::ProgressBar(std::string label, uint64_t bytes_total)
    : is_terminal_(isatty(STDERR_FILENO) == 1),
      started_(SystemClock::Get().Now()),
      label_(std::move(label)),
      bytes_total_(bytes_total),
      next_draw_(started_ + kFirstDraw) {}

ProgressBar::~ProgressBar() {
  Clear();
}

void ProgressBar::Expect(const std::string& label, uint64_t bytes) {
  MutexLock lock(mutex_);
  label_ = label;
  bytes_total_ += bytes;
}

void ProgressBar::Add(uint64_t bytes) {
  if (!is_terminal_) return;
  MutexLock lock(mutex_);
  bytes_ += bytes;
  const SteadyTime now = SystemClock::Get().Now();
  if (now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  Draw(now);
}

void ProgressBar::Clear() {
  MutexLock lock(mutex_);
  if (is_drawn_) fmt::print(stderr, "{}", kClearLine);
  is_drawn_ = false;
}

void ProgressBar::Draw(SteadyTime now) {
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const auto rate = static_cast<uint64_t>(static_cast<double>(bytes_) / seconds);
  std::string line;
  if (bytes_total_ > 0) {
    const uint64_t done = std::min(bytes_, bytes_total_);
    const auto filled = static_cast<size_t>(kBarWidth * done / bytes_total_);
    line += fmt::format(
        "[{:<{}}] {:>3}% ", std::string(filled, '#'), kBarWidth, 100 * done / bytes_total_);
  }
  line += fmt::format("{}  {}/s", HumanSize(bytes_, 1, "B"), HumanSize(rate, 1, "B"));
  // A line that wraps cannot be cleared any more.
  const size_t columns = TerminalColumns();
  const size_t room = columns - std::min(columns, line.size() + 2);
  fmt::print(stderr, "{}{} {}", kClearLine, EndOf(label_, room), line);
  std::fflush(stderr);
  is_drawn_ = true;
}

}  // namespace slipstream::dfs::cli
