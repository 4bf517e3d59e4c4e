#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "gateway/charts/chart_folder.h"
#include "gateway/charts/chart_rows.h"
#include "gateway/charts/row_source.h"

namespace slipstream::gateway::charts {

// ChartFeed: the charts of a folder, with their rows: reads on, once a second, what is looked at,
// and forgets what nobody has looked at for kForgetAfter.
//
// Threads    thread-safe, but for Turn, which one thread calls over and over.
// Ownership  borrows the clock; makes and owns the sources.
class ChartFeed final {
 public:
  static constexpr std::chrono::seconds kLookedAtFor{30};
  static constexpr std::chrono::minutes kForgetAfter{10};

  using OpenSource = std::function<std::unique_ptr<RowSource>(const ChartQuery& query)>;

  ChartFeed(std::filesystem::path folder, OpenSource open_source, const Clock& clock)
      : open_source_(std::move(open_source)), clock_(clock), folder_(std::move(folder)) {}

  // Reads the folder again, and on in the sources of charts that are looked at. Blocks, a few
  // seconds at most for each of them.
  void Turn();

  // The charts there are: {"charts": […]}; what is wrong with one stands in it.
  std::string ListText() const;

  // What of a chart is asked for. Of times, `last_ms` goes back from the chart's newest row and
  // wins over the range.
  struct Request {
    std::string chart;
    ChartRows::Range range;
    std::optional<int64_t> last_ms;
    size_t steps = 120;
  };
  // kNotFound, kInvalidArgument (the file is wrong). The first answer is empty: its rows are read
  // from now on.
  Result<std::string> DataText(const Request& request);

 private:
  struct Shown {
    ChartFolder::Entry entry;
    std::optional<SteadyTime> looked_at;
    // By query: that of the chart, then that of its marks.
    std::vector<ChartRows> rows;
    std::vector<Status> statuses;  // why no more rows come
    bool was_read = false;
    bool is_at_end = false;
  };
  using Sources = std::vector<std::unique_ptr<RowSource>>;

  void TakeFolder() EXCLUDES(mutex_);
  // Charts that are looked at; forgets the rows of those that nobody looks at any more.
  std::vector<std::string> LookedAt() EXCLUDES(mutex_);
  void ReadOn(const std::string& name, Sources& sources) EXCLUDES(mutex_);

  const OpenSource open_source_;
  const Clock& clock_;
  // Turn's alone.
  ChartFolder folder_;
  std::map<std::string, Sources> sources_;

  mutable Mutex mutex_;
  std::map<std::string, Shown> charts_ GUARDED_BY(mutex_);  // Turn alone adds and removes
};

}  // namespace slipstream::gateway::charts
