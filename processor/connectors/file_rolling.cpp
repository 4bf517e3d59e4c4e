#include "processor/connectors/file_rolling.h"

#include <algorithm>

#include <fmt/format.h>

namespace slipstream::runtime {

FileNamer::FileNamer(uint32_t stage,
                     uint32_t input,
                     int32_t partition,
                     std::string_view job_uuid,
                     uint64_t next_number)
    : prefix_(input == 0 ? fmt::format("part-{}-{}-", stage, partition)
                         : fmt::format("part-{}-{}x{}-", stage, partition, input)),
      suffix_(fmt::format("-{}", job_uuid.substr(0, 8))),
      next_number_(next_number) {}

std::string FileNamer::Next(const FileSinkTarget& target, std::string_view partition_path) {
  return fmt::format("{}{}{}{}{}{}",
                     target.folder,
                     partition_path,
                     prefix_,
                     next_number_++,
                     suffix_,
                     target.spec.extension);
}

void RollClock::Add(const OpenFile& file, int64_t written_at_ms, const FileSinkSpec& spec) {
  if (file.length_bytes >= spec.roll_bytes) next_roll_at_ms_ = INT64_MIN;
  const auto add = [this](int64_t since_ms, int64_t interval_ms) {
    if (interval_ms >= kNever - since_ms) return;
    next_roll_at_ms_ = std::min(next_roll_at_ms_, since_ms + interval_ms);
  };
  add(file.opened_at_ms, spec.roll_interval_ms);
  add(written_at_ms, spec.roll_inactivity_ms);
}

bool IsRollDue(const OpenFile& file,
               int64_t written_at_ms,
               const FileSinkSpec& spec,
               int64_t now_ms) {
  return file.length_bytes >= spec.roll_bytes ||
         now_ms - file.opened_at_ms >= spec.roll_interval_ms ||
         now_ms - written_at_ms >= spec.roll_inactivity_ms;
}

}  // namespace slipstream::runtime
