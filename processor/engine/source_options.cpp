#include "processor/engine/source_options.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::sql {
namespace {

constexpr int64_t kSafeIdleTimeoutMs = 30'000;

Status ReadLateRows(const TableDefinition& table,
                    OptionReader& options,
                    runtime::KafkaSourceSpec& source) {
  constexpr const char* kOption = "late-rows.topic";
  if (!options.Has(kOption)) return {};
  ASSIGN_OR_RETURN(const std::string topic, options.GetString(kOption));
  const std::string owner = "table " + table.name;
  if (!table.watermark) {
    return InvalidArgument(owner + ": 'late-rows.topic' is for tables with a WATERMARK");
  }
  const std::vector<std::string>& topics = source.topics;
  if (std::find(topics.begin(), topics.end(), topic) != topics.end()) {
    return InvalidArgument(owner + ": 'late-rows.topic' is a topic that the table reads");
  }
  source.late_rows_topic = topic;
  return {};
}

}  // namespace

Status ReadSourceOptions(const TableDefinition& table,
                         const ConnectorDefaults& defaults,
                         OptionReader& options,
                         runtime::KafkaSourceSpec& source,
                         bool& watermark_on_event) {
  source.dead_letter_topic = options.GetString("dead-letter.topic", "");
  ASSIGN_OR_RETURN(source.dead_letter_max_share, options.GetShare("dead-letter.max-share", 1));
  RETURN_IF_ERROR(ReadLateRows(table, options, source));
  constexpr std::array<std::string_view, 2> kLoss = {"stop", "continue"};
  ASSIGN_OR_RETURN(const std::string loss, options.GetOneOf("scan.on-data-loss", "stop", kLoss));
  source.continue_on_data_loss = loss == "continue";
  constexpr std::array<std::string_view, 2> kStrategies = {"on-periodic", "on-event"};
  ASSIGN_OR_RETURN(const std::string strategy,
                   options.GetOneOf("scan.watermark.emit.strategy", "on-periodic", kStrategies));
  watermark_on_event = strategy == "on-event";
  const int64_t fallback =
      defaults.idle_timeout_ms.value_or(defaults.flink_defaults ? 0 : kSafeIdleTimeoutMs);
  ASSIGN_OR_RETURN(
      const std::chrono::milliseconds idle,
      options.GetDuration("scan.watermark.idle-timeout", std::chrono::milliseconds(fallback)));
  if (idle.count() > 0) source.idle_timeout_ms = idle.count();
  return {};
}

}  // namespace slipstream::sql
