#include "producer/pipeline/planted_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace slipstream::producer {
namespace {

constexpr size_t kBufferBytes = 32 << 10;

std::string_view KindOf(Planted planted) {
  switch (planted) {
    case Planted::kNothing:
      return "nothing";
    case Planted::kAnomaly:
      return "anomaly";
    case Planted::kLate:
      return "late";
    case Planted::kCorrupt:
      return "corrupt";
  }
  return "";
}

// A field that holds what ends one, or a quote, is quoted, its quotes doubled.
void AppendField(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (char c : text) {
    if (c == '"') out.push_back(c);
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

Result<std::unique_ptr<PlantedFile>> PlantedFile::Create(const std::filesystem::path& path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "create " + path.string());
  return std::unique_ptr<PlantedFile>(new PlantedFile(fd, path.string()));
}

PlantedFile::PlantedFile(int fd, std::string path)
    : fd_(fd), path_(std::move(path)), lines_("id,kind,event_time,key\n") {}

PlantedFile::~PlantedFile() {
  (void)Write();
  ::close(fd_);
}

Status PlantedFile::Add(const Record& record) {
  if (record.planted == Planted::kNothing) return {};
  auto midnight = std::chrono::floor<std::chrono::days>(record.event_time);
  std::chrono::year_month_day date(midnight);
  std::chrono::hh_mm_ss time(record.event_time - midnight);
  fmt::format_to(std::back_inserter(lines_),
                 FMT_COMPILE("{},{},{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03},"),
                 record.id,
                 KindOf(record.planted),
                 static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()),
                 time.hours().count(),
                 time.minutes().count(),
                 time.seconds().count(),
                 time.subseconds().count());
  AppendField(record.key, lines_);
  lines_.push_back('\n');
  return lines_.size() < kBufferBytes ? Status() : Write();
}

Status PlantedFile::Write() {
  size_t written = 0;
  while (written < lines_.size()) {
    ssize_t count = ::write(fd_, lines_.data() + written, lines_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "write " + path_);
    written += static_cast<size_t>(count);
  }
  lines_.clear();
  return {};
}

}  // namespace slipstream::producer
