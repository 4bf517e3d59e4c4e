#include <fmt/format.h>

#include "dfs-client/cli/format.h"

// `dfs count`: columns of fixed widths, a space behind each.

namespace slipstream::dfs::cli {
namespace {

constexpr const char* kNoQuota = "none";
constexpr const char* kNoLimit = "inf";

std::string QuotaColumns(const std::string& names,
                         const std::string& names_left,
                         const std::string& space,
                         const std::string& space_left) {
  return fmt::format("{:>12} {:>15} {:>15} {:>15} ", names, names_left, space, space_left);
}

std::string ContentColumns(const std::string& directories,
                           const std::string& files,
                           const std::string& bytes) {
  return fmt::format("{:>12} {:>12} {:>18} ", directories, files, bytes);
}

std::string TypeColumns(const std::string& quota, const std::string& left) {
  return fmt::format("{:>13} {:>17} ", quota, left);
}

std::string SizeText(uint64_t number, bool is_human) {
  return is_human ? HumanSize(number) : std::to_string(number);
}

// What is left of a limit; below zero where more is there than the limit allows.
std::string RestText(uint64_t limit, uint64_t used, bool is_human) {
  return used > limit ? "-" + SizeText(used - limit, is_human) : SizeText(limit - used, is_human);
}

std::string QuotaOf(const ContentTotals& totals, bool is_human) {
  const Quota quota = totals.quota.value_or(Quota{});
  const bool limits_names = quota.names_max > 0;
  const bool limits_space = quota.space_max_bytes > 0;
  return QuotaColumns(
      limits_names ? SizeText(quota.names_max, is_human) : kNoQuota,
      limits_names ? RestText(quota.names_max, quota.names, is_human) : kNoLimit,
      limits_space ? SizeText(quota.space_max_bytes, is_human) : kNoQuota,
      limits_space ? RestText(quota.space_max_bytes, quota.space_bytes, is_human) : kNoLimit);
}

}  // namespace

std::string CountHeader(const CountFormat& format) {
  std::string out;
  for (const std::string& type : format.storage_types)
    out += TypeColumns(type + "_QUOTA", "REM_" + type + "_QUOTA");
  if (format.quotas && format.storage_types.empty()) {
    out += QuotaColumns("QUOTA", "REM_QUOTA", "SPACE_QUOTA", "REM_SPACE_QUOTA");
  }
  if (format.contents) out += ContentColumns("DIR_COUNT", "FILE_COUNT", "CONTENT_SIZE");
  return out + "PATHNAME\n";
}

std::string FormatCount(const ContentTotals& totals, const CountFormat& format) {
  std::string out;
  for (size_t i = 0; i < format.storage_types.size(); ++i)
    out += TypeColumns(kNoQuota, kNoLimit);
  const bool is_human = format.human_sizes;
  if (format.quotas && format.storage_types.empty()) out += QuotaOf(totals, is_human);
  if (format.contents) {
    out += ContentColumns(SizeText(totals.directories, is_human),
                          SizeText(totals.files, is_human),
                          SizeText(totals.length_bytes, is_human));
  }
  return out + totals.shown + "\n";
}

}  // namespace slipstream::dfs::cli
