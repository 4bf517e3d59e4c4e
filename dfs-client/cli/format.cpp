#include "dfs-client/cli/format.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

namespace slipstream::dfs::cli {
namespace {

constexpr const char* kListTime = "%Y-%m-%d %H:%M";
constexpr const char* kStatTime = "%Y-%m-%d %H:%M:%S";
constexpr int64_t kMillisecondsPerSecond = 1000;

std::string MaskUnprintable(const std::string& text) {
  std::string out = text;
  std::replace_if(
      out.begin(),
      out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  return out;
}

}  // namespace

std::string HumanSize(uint64_t bytes, int decimals, const std::string& unit) {
  constexpr std::array<char, 6> kPrefixes{'K', 'M', 'G', 'T', 'P', 'E'};
  if (bytes < 1024) return unit.empty() ? std::to_string(bytes) : fmt::format("{} {}", bytes, unit);
  size_t prefix = 0;
  while (prefix + 1 < kPrefixes.size() && bytes >= (uint64_t{1} << (10 * (prefix + 2))))
    ++prefix;
  const uint64_t scale = uint64_t{1} << (10 * (prefix + 1));
  if (bytes % scale == 0) return fmt::format("{} {}{}", bytes / scale, kPrefixes[prefix], unit);
  std::string number =
      fmt::format("{:.{}f}", static_cast<double>(bytes) / static_cast<double>(scale), decimals);
  if (number.starts_with("1024") && prefix + 1 < kPrefixes.size()) {
    ++prefix;
    number = fmt::format("{:.{}f}", 1.0, decimals);
  }
  return fmt::format("{} {}{}", number, kPrefixes[prefix], unit);
}

std::string SymbolicMode(FileKind kind, uint32_t mode) {
  std::string out(1, kind == FileKind::kDirectory ? 'd' : '-');
  for (int shift = 6; shift >= 0; shift -= 3) {
    const uint32_t bits = mode >> shift;
    out.push_back((bits & 4U) != 0 ? 'r' : '-');
    out.push_back((bits & 2U) != 0 ? 'w' : '-');
    out.push_back((bits & 1U) != 0 ? 'x' : '-');
  }
  constexpr uint32_t kSticky = 01000;
  if ((mode & kSticky) != 0) out.back() = (mode & 1U) != 0 ? 't' : 'T';
  return out;
}

std::string FormatTime(int64_t time_ms, const char* format, Zone zone) {
  const time_t seconds = time_ms / kMillisecondsPerSecond;
  tm parts{};
  if (zone == Zone::kUtc) {
    gmtime_r(&seconds, &parts);
  } else {
    localtime_r(&seconds, &parts);
  }
  std::array<char, 64> text{};
  const size_t length = strftime(text.data(), text.size(), format, &parts);
  return {text.data(), length};
}

void ListingFormatter::MakeRoom(const std::vector<Item>& items) {
  for (const Item& item : items) {
    const FileStatus& status = item.status;
    // By the digits of numbers, whatever is shown for them.
    replication_width_ = std::max(replication_width_, std::to_string(status.replication).size());
    size_width_ = std::max(size_width_, std::to_string(status.length_bytes).size());
    owner_width_ = std::max(owner_width_, status.owner.size());
    group_width_ = std::max(group_width_, status.group.size());
  }
}

std::string ListingFormatter::Line(const Item& item) const {
  const std::string shown = format_.mask_unprintable ? MaskUnprintable(item.shown) : item.shown;
  if (format_.paths_only) return shown + "\n";
  const FileStatus& status = item.status;
  const bool is_directory = status.kind == FileKind::kDirectory;
  std::string out = fmt::format("{} {:>{}} ",
                                SymbolicMode(status.kind, status.mode),
                                is_directory ? "-" : std::to_string(status.replication),
                                replication_width_);
  if (owner_width_ > 0) out += fmt::format("{:<{}} ", status.owner, owner_width_);
  if (group_width_ > 0) out += fmt::format("{:<{}} ", status.group, group_width_);
  if (format_.has_policy) out += fmt::format("{:<10} ", is_directory ? "" : "Replicated");
  const uint64_t bytes = status.length_bytes;
  const int64_t time_ms = format_.accessed ? status.accessed_at_ms : status.modified_at_ms;
  out += fmt::format("{:>{}} {} {}\n",
                     format_.human_sizes ? HumanSize(bytes) : std::to_string(bytes),
                     size_width_,
                     FormatTime(time_ms, kListTime, Zone::kLocal),
                     shown);
  return out;
}

std::string FormatColumns(const std::vector<std::vector<std::string>>& rows,
                          const std::set<size_t>& right_aligned) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += "  ";
      if (right_aligned.contains(i)) {
        out += fmt::format("{:>{}}", row[i], widths[i]);
      } else if (i + 1 == row.size()) {
        out += row[i];
      } else {
        out += fmt::format("{:<{}}", row[i], widths[i]);
      }
    }
    out += '\n';
  }
  return out;
}

std::string Percent(uint64_t part, uint64_t whole, int decimals) {
  const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  return fmt::format("{:.{}f}%", share * 100, decimals);
}

std::string FormatStat(const std::string& format, const Item& item) {
  const FileStatus& status = item.status;
  const bool is_directory = status.kind == FileKind::kDirectory;
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    if (i + 1 == format.size()) break;  // HDFS drops it
    switch (format[++i]) {
      case 'a':
        out += fmt::format("{:o}", status.mode);
        break;
      case 'A':
        out += SymbolicMode(status.kind, status.mode).substr(1);
        break;
      case 'b':
        out += std::to_string(status.length_bytes);
        break;
      case 'F':
        out += is_directory ? "directory" : "regular file";
        break;
      case 'g':
        out += status.group;
        break;
      case 'n':
        out += status.name;
        break;
      case 'o':
        out += std::to_string(is_directory ? 0 : kHdfsBlockBytes);
        break;
      case 'r':
        out += std::to_string(is_directory ? 0 : status.replication);
        break;
      case 'u':
        out += status.owner;
        break;
      case 'x':
        out += FormatTime(status.accessed_at_ms, kStatTime, Zone::kUtc);
        break;
      case 'X':
        out += std::to_string(status.accessed_at_ms);
        break;
      case 'y':
        out += FormatTime(status.modified_at_ms, kStatTime, Zone::kUtc);
        break;
      case 'Y':
        out += std::to_string(status.modified_at_ms);
        break;
      default:  // also %%
        out += format[i];
    }
  }
  return out;
}

}  // namespace slipstream::dfs::cli
