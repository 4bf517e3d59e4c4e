#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

// "drwxr-xr-x"; the last letter is t or T with the sticky bit.
std::string SymbolicMode(FileKind kind, uint32_t mode);

// What HDFS calls a block, whatever ours are: `stat %o`, checksums.
inline constexpr uint64_t kHdfsBlockBytes = 128ULL << 20;

// Milliseconds since 1970 UTC through strftime; local time, or UTC.
enum class Zone { kLocal, kUtc };
std::string FormatTime(int64_t time_ms, const char* format, Zone zone);

struct ListFormat {
  bool paths_only = false;
  bool human_sizes = false;
  bool mask_unprintable = false;
  bool accessed = false;    // times of access instead of modification
  bool has_policy = false;  // a column for how a file is kept; here always by replication
};

// ListingFormatter: the lines of `ls`. Columns are as wide as what was shown so far needs: they
// grow from directory to directory, and never shrink, as HDFS has it.
class ListingFormatter final {
 public:
  explicit ListingFormatter(const ListFormat& format) : format_(format) {}
  // Makes room for items that are about to be formatted.
  void MakeRoom(const std::vector<Item>& items);
  // With the line end.
  std::string Line(const Item& item) const;

 private:
  const ListFormat format_;
  size_t replication_width_ = 3;
  size_t size_width_ = 10;
  size_t owner_width_ = 0;
  size_t group_width_ = 0;
};

// Rows of cells, two spaces between. Left aligned, but for the columns of these indexes.
std::string FormatColumns(const std::vector<std::vector<std::string>>& rows,
                          const std::set<size_t>& right_aligned = {});

// What lies at a path and below it.
struct ContentTotals {
  std::string shown;
  uint64_t directories = 0;
  uint64_t files = 0;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;   // with all replicas
  std::optional<Quota> quota;  // of the path itself
};

struct CountFormat {
  bool quotas = false;
  bool contents = true;
  bool human_sizes = false;
  std::vector<std::string> storage_types;  // if any, their quotas instead of all else
};
// The heading and the lines of `count`.
std::string CountHeader(const CountFormat& format);
std::string FormatCount(const ContentTotals& totals, const CountFormat& format);

// "12.34%"; of nothing, nothing.
std::string Percent(uint64_t part, uint64_t whole, int decimals = 2);

// What the `%` sequences of `dfs stat` stand for. An unknown one is the letter alone.
std::string FormatStat(const std::string& format, const Item& item);

}  // namespace slipstream::dfs::cli
