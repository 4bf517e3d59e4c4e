#include "gateway/charts/chart_folder.h"

#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace slipstream::gateway::charts {
namespace {

ChartFolder::Entry ReadEntry(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  ChartFolder::Entry entry;
  Result<Chart> chart = file.good() || file.eof() ? ParseChart(name, text.str())
                                                  : Result<Chart>(DataLoss("it cannot be read"));
  entry.status = chart.status();
  if (chart.ok()) {
    entry.chart = std::move(*chart);
  } else {
    entry.chart.name = entry.chart.title = name;
  }
  return entry;
}

}  // namespace

const std::map<std::string, ChartFolder::Entry>& ChartFolder::Refresh() {
  std::error_code error;
  std::map<std::string, Seen> there;
  std::filesystem::directory_iterator files(folder_, error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    const std::filesystem::path& path = files->path();
    std::error_code unreadable;
    const Seen seen{.modified_at = files->last_write_time(unreadable),
                    .bytes = files->file_size(unreadable)};
    if (path.extension() != ".json" || unreadable || seen.bytes > kFileBytesMax) continue;
    const std::string name = path.stem().string();
    if (there.size() == kChartsMax && !entries_.contains(name)) continue;
    there.emplace(name, seen);
    const auto known = seen_.find(name);
    if (known != seen_.end() && known->second == seen) continue;
    entries_[name] = ReadEntry(path, name);
    entries_[name].version = ++last_version_;
  }
  std::erase_if(entries_, [&](const auto& entry) { return !there.contains(entry.first); });
  seen_ = std::move(there);
  return entries_;
}

}  // namespace slipstream::gateway::charts
