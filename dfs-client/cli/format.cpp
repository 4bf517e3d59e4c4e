#include "dfs-client/cli/format.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "common/block/block.h"

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

std::string ReplicationOf(const FileStatus& status) {
  return status.kind == FileKind::kDirectory ? "-" : std::to_string(status.replication);
}

std::string SizeOf(const FileStatus& status, bool is_human) {
  return is_human ? HumanSize(status.length_bytes) : std::to_string(status.length_bytes);
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

std::string FormatListing(const std::vector<Item>& items, const ListFormat& format) {
  size_t replication_width = 3;
  size_t size_width = 10;
  size_t owner_width = 0;
  size_t group_width = 0;
  for (const Item& item : items) {
    const FileStatus& status = item.status;
    replication_width = std::max(replication_width, ReplicationOf(status).size());
    size_width = std::max(size_width, SizeOf(status, format.human_sizes).size());
    owner_width = std::max(owner_width, status.owner.size());
    group_width = std::max(group_width, status.group.size());
  }
  std::string out;
  for (const Item& item : items) {
    const std::string shown = format.mask_unprintable ? MaskUnprintable(item.shown) : item.shown;
    if (format.paths_only) {
      out += shown + "\n";
      continue;
    }
    const FileStatus& status = item.status;
    out += fmt::format("{} {:>{}} ",
                       SymbolicMode(status.kind, status.mode),
                       ReplicationOf(status),
                       replication_width);
    if (owner_width > 0) out += fmt::format("{:<{}} ", status.owner, owner_width);
    if (group_width > 0) out += fmt::format("{:<{}} ", status.group, group_width);
    out += fmt::format("{:>{}} {} {}\n",
                       SizeOf(status, format.human_sizes),
                       size_width,
                       FormatTime(status.modified_at_ms, kListTime, Zone::kLocal),
                       shown);
  }
  return out;
}

std::string FormatColumns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      out += is_last ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    out += '\n';
  }
  return out;
}

std::string FormatStat(const std::string& format, const Item& item) {
  const FileStatus& status = item.status;
  const bool is_directory = status.kind == FileKind::kDirectory;
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'a':
        out += fmt::format("{:o}", status.mode);
        break;
      case 'A':
        out += SymbolicMode(status.kind, status.mode);
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
        out += std::to_string(is_directory ? 0 : block::kBlockRawBytesMax);
        break;
      case 'r':
        out += std::to_string(is_directory ? 0 : status.replication);
        break;
      case 'u':
        out += status.owner;
        break;
      case 'x':  // no access times are kept
      case 'y':
        out += FormatTime(status.modified_at_ms, kStatTime, Zone::kUtc);
        break;
      case 'X':
      case 'Y':
        out += std::to_string(status.modified_at_ms);
        break;
      case '%':
        out += '%';
        break;
      default:
        out += '%';
        out += format[i];
    }
  }
  return out;
}

}  // namespace slipstream::dfs::cli
