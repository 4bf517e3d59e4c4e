#include "processor/runtime/time_board.h"

#include <algorithm>

#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr uint8_t kTimeVersion = 1;
constexpr uint8_t kVisibleTimeVersion = 2;  // of a value: `visible` at its end

}  // namespace

std::string EncodeTimeKey(const TimeKey& key) {
  RecordWriter writer;
  writer.Number(kTimeVersion);
  writer.Number(key.input);
  writer.Number(key.partition);
  return writer.Take();
}

Result<TimeKey> ParseTimeKey(std::string_view bytes) {
  RecordReader reader(bytes);
  const auto version = reader.Number<uint8_t>();
  TimeKey key;
  key.input = reader.Number<uint8_t>();
  key.partition = reader.Number<int32_t>();
  if (!reader.AtEnd() || version != kTimeVersion) return DataLoss("time key");
  return key;
}

std::string EncodeTaskTime(const TaskTime& time) {
  RecordWriter writer;
  const bool has_visible = time.visible != kNoWatermark;
  writer.Number(has_visible ? kVisibleTimeVersion : kTimeVersion);
  writer.Number(time.watermark);
  writer.Number(static_cast<uint8_t>(time.is_idle ? 1 : 0));
  if (has_visible) writer.Number(time.visible);
  return writer.Take();
}

Result<TaskTime> ParseTaskTime(std::string_view bytes) {
  RecordReader reader(bytes);
  const auto version = reader.Number<uint8_t>();
  TaskTime time;
  time.watermark = reader.Number<int64_t>();
  const auto idle = reader.Number<uint8_t>();
  time.is_idle = idle != 0;
  if (version == kVisibleTimeVersion) time.visible = reader.Number<int64_t>();
  const bool is_known =
      version == kTimeVersion || (version == kVisibleTimeVersion && time.visible != kNoWatermark);
  if (!reader.AtEnd() || !is_known || idle > 1) return DataLoss("task time");
  return time;
}

std::optional<EventTimeUs> TimeBoard::ActiveWatermark() const {
  if (times_.size() < task_count_) return std::nullopt;
  std::optional<EventTimeUs> least;
  for (const auto& [key, time] : times_) {
    if (time.is_idle) continue;
    least = least ? std::min(*least, time.watermark) : time.watermark;
  }
  return least;
}

}  // namespace slipstream::runtime
