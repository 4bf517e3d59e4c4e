#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"

// How things are printed: the HDFS shell's columns to the character, since scripts cut them up.

namespace slipstream::dfs::cli {

// A file or directory and the name to show for it.
struct Item {
  std::string shown;  // as the user wrote it, or below what the user wrote
  std::string path;   // normal and absolute
  FileStatus status;
};

// 1536 is "1.5 K", 2048 is "2 K", with a unit "2 KB": powers of 1024, exact numbers without
// decimals.
std::string HumanSize(uint64_t bytes, int decimals = 1, const std::string& unit = "");

// "drwxr-xr-x"
std::string SymbolicMode(FileKind kind, uint32_t mode);

// Milliseconds since 1970 UTC through strftime; local time, or UTC.
enum class Zone { kLocal, kUtc };
std::string FormatTime(int64_t time_ms, const char* format, Zone zone);

struct ListFormat {
  bool paths_only = false;
  bool human_sizes = false;
  bool mask_unprintable = false;
};
// A line for each item, columns as wide as this listing needs.
std::string FormatListing(const std::vector<Item>& items, const ListFormat& format);

// Rows of cells, left aligned, two spaces between.
std::string FormatColumns(const std::vector<std::vector<std::string>>& rows);

// What the `%` sequences of `dfs stat` stand for. Unknown ones stay as they are.
std::string FormatStat(const std::string& format, const Item& item);

// `dfs report`: totals, then the nodes of the sections wanted.
struct ReportSections {
  bool live = true;
  bool dead = true;
};
std::string FormatReport(const ClusterState& state, const ReportSections& sections);

}  // namespace slipstream::dfs::cli
