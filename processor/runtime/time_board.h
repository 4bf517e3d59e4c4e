#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// The records of `<job>-time`: docs/FORMATS.md, "Shared time".
struct TimeKey {
  uint8_t input = 0;
  int32_t partition = 0;

  friend auto operator<=>(const TimeKey&, const TimeKey&) = default;
};
struct TaskTime {
  EventTimeUs watermark = kNoWatermark;
  bool is_idle = false;
  // What all rows before it have given to file sinks is there for readers; only of jobs that ask.
  EventTimeUs visible = kNoWatermark;

  friend bool operator==(const TaskTime&, const TaskTime&) = default;
};

std::string EncodeTimeKey(const TimeKey& key);
Result<TimeKey> ParseTimeKey(std::string_view bytes);
std::string EncodeTaskTime(const TaskTime& time);
Result<TaskTime> ParseTaskTime(std::string_view bytes);

// TimeBoard: the watermarks that all tasks of a source have committed. Pure; not thread-safe.
class TimeBoard final {
 public:
  // `task_count`: of the whole source, over all workers.
  explicit TimeBoard(size_t task_count) : task_count_(task_count) {}

  void Set(const TimeKey& key, const TaskTime& time) { times_[key] = time; }

  // What an idle task's watermark may be raised to: the least of the tasks that are not idle. None
  // while a task has never been heard of (it holds everything back), and when all are idle.
  std::optional<EventTimeUs> ActiveWatermark() const;

 private:
  size_t task_count_;
  std::map<TimeKey, TaskTime> times_;
};

}  // namespace slipstream::runtime
