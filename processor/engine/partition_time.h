#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/expr/date_pattern.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {

// PartitionTime: the time that a folder of a partitioned table stands for, as Flink's default
// 'partition.time-extractor' finds it: a pattern of which every "$column" is the folder's value
// ("$dt $hour:00:00"), read as a timestamp or as a date. Immutable.
class PartitionTime {
 public:
  struct Options {
    std::vector<std::string> columns;      // of PARTITIONED BY, in their order
    std::string pattern;                   // empty: the first column's value
    std::optional<std::string> formatter;  // a Java pattern; none: "yyyy-MM-dd[ HH:mm:ss]"
    TimeZonePtr zone;                      // whose clocks show that time; null: UTC
  };
  // kInvalidArgument: no columns, a pattern that names none of them, a formatter that is none.
  static Result<std::shared_ptr<const PartitionTime>> Create(Options options);

  // Of "dt=2024-05-12/hour=02/", microseconds since 1970; nullopt: it does not stand for a time.
  std::optional<int64_t> Of(std::string_view partition_path) const;

 private:
  PartitionTime(Options options, std::optional<DatePattern> formatter)
      : options_(std::move(options)), formatter_(std::move(formatter)) {}

  const Options options_;
  const std::optional<DatePattern> formatter_;
};

}  // namespace slipstream::sql
