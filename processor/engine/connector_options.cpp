#include "processor/engine/connector_options.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

constexpr int64_t kSafeIdleTimeoutMs = 30'000;

std::string OwnerOf(const TableDefinition& table) {
  return "table " + table.name;
}

// Refuses options that exist in Flink but not here.
Status RefuseOptions(const TableDefinition& table,
                     OptionReader& options,
                     std::span<const std::string_view> names) {
  for (std::string_view name : names) {
    if (options.Has(name)) {
      return Unimplemented(OwnerOf(table) + ": '" + std::string(name) + "' is not supported yet");
    }
  }
  return {};
}

// `prefix`: "" for 'format', "value." or "key." for those of Kafka.
Result<JsonOptions> ReadJsonOptions(OptionReader& options, const std::string& prefix) {
  const std::string json = prefix + "json.";
  JsonOptions read;
  ASSIGN_OR_RETURN(read.fail_on_missing_field,
                   options.GetBool(json + "fail-on-missing-field", false));
  ASSIGN_OR_RETURN(read.ignore_parse_errors, options.GetBool(json + "ignore-parse-errors", false));
  ASSIGN_OR_RETURN(read.ignore_null_fields,
                   options.GetBool(json + "encode.ignore-null-fields", false));
  // Decimals are plain numbers in any case: the same number, without an exponent.
  RETURN_IF_ERROR(options.GetBool(json + "encode.decimal-as-plain-number", false).status());
  constexpr std::array<std::string_view, 2> kFormats = {"SQL", "ISO-8601"};
  ASSIGN_OR_RETURN(const std::string timestamps,
                   options.GetOneOf(json + "timestamp-format.standard", "SQL", kFormats));
  if (timestamps == "ISO-8601") read.timestamp_format = JsonOptions::TimestampFormat::kIso8601;
  return read;
}

Status RequireJson(const TableDefinition& table,
                   std::string_view option,
                   const std::string& format) {
  if (format == "json") return {};
  if (format.empty()) {
    return InvalidArgument(OwnerOf(table) + ": '" + std::string(option) + "' is missing");
  }
  return Unimplemented(OwnerOf(table) + ": '" + std::string(option) + "' = '" + format +
                       "' is not supported yet; json and raw are");
}

Result<size_t> ColumnNamed(const TableDefinition& table, const std::string& name) {
  for (size_t column : table.physical) {
    if (table.schema[column].name == name) return column;
  }
  return InvalidArgument(OwnerOf(table) + ": 'key.fields' names " + name +
                         ", which is no column that is written");
}

Status ReadKey(const TableDefinition& table,
               OptionReader& options,
               bool is_upsert,
               KafkaTable& to) {
  const std::string format = options.GetString("key.format", "");
  const std::vector<std::string> fields = options.GetList("key.fields");
  ASSIGN_OR_RETURN(to.key_format, ReadJsonOptions(options, "key."));
  if (is_upsert) {
    if (table.primary_key.empty()) {
      return InvalidArgument(OwnerOf(table) + ": upsert-kafka needs a PRIMARY KEY");
    }
    if (!fields.empty()) {
      return InvalidArgument(OwnerOf(table) +
                             ": 'key.fields' is not for upsert-kafka; its key is the PRIMARY KEY");
    }
    to.key_columns = table.primary_key;
  } else {
    if (!fields.empty() && format.empty()) {
      return InvalidArgument(OwnerOf(table) + ": 'key.fields' needs a 'key.format'");
    }
    for (const std::string& field : fields) {
      ASSIGN_OR_RETURN(const size_t column, ColumnNamed(table, field));
      to.key_columns.push_back(column);
    }
    if (!format.empty() && fields.empty()) {
      return InvalidArgument(OwnerOf(table) + ": 'key.format' needs 'key.fields'");
    }
  }
  if (to.key_columns.empty()) return {};
  to.key_is_raw = format == "raw";
  if (to.key_is_raw && to.key_columns.size() != 1) {
    return InvalidArgument(OwnerOf(table) + ": 'key.format' = 'raw' takes one key column");
  }
  return to.key_is_raw ? Status() : RequireJson(table, "key.format", format);
}

Status ReadStartup(const TableDefinition& table, OptionReader& options, KafkaTable& to) {
  using Startup = runtime::KafkaSourceSpec::Startup;
  constexpr std::array<std::string_view, 5> kModes = {
      "earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"};
  ASSIGN_OR_RETURN(const std::string mode,
                   options.GetOneOf("scan.startup.mode", "group-offsets", kModes));
  if (mode == "timestamp" || mode == "specific-offsets") {
    return Unimplemented(OwnerOf(table) + ": 'scan.startup.mode' = '" + mode +
                         "' is not supported yet");
  }
  to.source.startup = mode == "earliest-offset" ? Startup::kEarliest
                      : mode == "latest-offset" ? Startup::kLatest
                                                : Startup::kGroupOffsets;
  constexpr std::array<std::string_view, 5> kBounds = {
      "unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets"};
  ASSIGN_OR_RETURN(const std::string bound,
                   options.GetOneOf("scan.bounded.mode", "unbounded", kBounds));
  if (bound != "unbounded" && bound != "latest-offset") {
    return Unimplemented(OwnerOf(table) + ": 'scan.bounded.mode' = '" + bound +
                         "' is not supported yet");
  }
  to.source.is_bounded = bound == "latest-offset";
  return {};
}

Status ReadSource(const TableDefinition& table,
                  const ConnectorDefaults& defaults,
                  OptionReader& options,
                  KafkaTable& to) {
  RETURN_IF_ERROR(ReadStartup(table, options, to));
  to.source.dead_letter_topic = options.GetString("dead-letter.topic", "");
  ASSIGN_OR_RETURN(to.source.dead_letter_max_share, options.GetShare("dead-letter.max-share", 1));
  constexpr std::array<std::string_view, 2> kLoss = {"stop", "continue"};
  ASSIGN_OR_RETURN(const std::string loss, options.GetOneOf("scan.on-data-loss", "stop", kLoss));
  to.source.continue_on_data_loss = loss == "continue";
  to.partitioned_by = options.GetList("source.partitioned-by");
  for (const std::string& name : to.partitioned_by) {
    const bool exists = std::any_of(table.schema.begin(),
                                    table.schema.end(),
                                    [&](const Field& field) { return field.name == name; });
    if (!exists) {
      return InvalidArgument(OwnerOf(table) + ": 'source.partitioned-by' names " + name +
                             ", which is no column");
    }
  }
  constexpr std::array<std::string_view, 2> kStrategies = {"on-periodic", "on-event"};
  ASSIGN_OR_RETURN(const std::string strategy,
                   options.GetOneOf("scan.watermark.emit.strategy", "on-periodic", kStrategies));
  to.watermark_on_event = strategy == "on-event";

  const int64_t fallback =
      defaults.idle_timeout_ms.value_or(defaults.flink_defaults ? 0 : kSafeIdleTimeoutMs);
  ASSIGN_OR_RETURN(
      const std::chrono::milliseconds idle,
      options.GetDuration("scan.watermark.idle-timeout", std::chrono::milliseconds(fallback)));
  if (idle.count() > 0) to.source.idle_timeout_ms = idle.count();
  return {};
}

Status ReadSink(const TableDefinition& table,
                const ConnectorDefaults& defaults,
                OptionReader& options,
                KafkaTable& to) {
  constexpr std::array<std::string_view, 3> kGuarantees = {"exactly-once", "at-least-once", "none"};
  ASSIGN_OR_RETURN(const std::string guarantee,
                   options.GetOneOf("sink.delivery-guarantee",
                                    defaults.flink_defaults ? "at-least-once" : "exactly-once",
                                    kGuarantees));
  to.sink.exactly_once = guarantee == "exactly-once";
  // The transactional id is the worker's slot, whatever prefix is asked for.
  options.GetString("sink.transactional-id-prefix", "");
  options.Has("sink.parallelism");
  const std::string partitioner = options.GetString("sink.partitioner", "default");
  if (partitioner != "default") {
    return Unimplemented(OwnerOf(table) + ": 'sink.partitioner' = '" + partitioner +
                         "' is not supported yet; default is");
  }
  return {};
}

Status ReadValueColumns(const TableDefinition& table, OptionReader& options, KafkaTable& to) {
  constexpr std::array<std::string_view, 2> kWhich = {"ALL", "EXCEPT_KEY"};
  ASSIGN_OR_RETURN(const std::string which,
                   options.GetOneOf("value.fields-include", "ALL", kWhich));
  for (size_t column : table.physical) {
    const bool is_key =
        std::find(to.key_columns.begin(), to.key_columns.end(), column) != to.key_columns.end();
    if (which == "ALL" || !is_key) to.value_columns.push_back(column);
  }
  return {};
}

}  // namespace

namespace {

// 'raw' is for tables with one column of text or bytes beside those of PARTITIONED BY.
Result<ValueFormat> ReadValueFormat(const TableDefinition& table,
                                    OptionReader& options,
                                    std::string_view option,
                                    const std::string& format,
                                    const std::string& prefix) {
  ValueFormat read;
  ASSIGN_OR_RETURN(read.json, ReadJsonOptions(options, prefix));
  read.is_raw = format == "raw";
  if (!read.is_raw) {
    RETURN_IF_ERROR(RequireJson(table, option, format));
    return read;
  }
  size_t columns = 0;
  for (size_t column : table.physical) {
    const bool is_partition =
        std::find(table.partition_columns.begin(), table.partition_columns.end(), column) !=
        table.partition_columns.end();
    if (is_partition) continue;
    const DataType& type = table.schema[column].type;
    if (++columns == 1 && (type.is_string() || type.is_binary())) continue;
    return InvalidArgument(OwnerOf(table) +
                           ": 'format' = 'raw' takes one column of STRING or BYTES");
  }
  return read;
}

}  // namespace

Result<Connector> ConnectorOf(const TableDefinition& table) {
  const std::string& name = table.connector();
  if (name == "kafka") return Connector::kKafka;
  if (name == "upsert-kafka") return Connector::kUpsertKafka;
  if (name == "filesystem") return Connector::kFilesystem;
  if (name == "print") return Connector::kPrint;
  if (name == "blackhole") return Connector::kBlackhole;
  if (name.empty()) return InvalidArgument(OwnerOf(table) + ": 'connector' is missing");
  return InvalidArgument(OwnerOf(table) + ": no connector '" + name +
                         "'; there are kafka, upsert-kafka, filesystem, print and blackhole");
}

Result<ConnectorDefaults> ConnectorDefaults::From(const Options& settings) {
  ConnectorDefaults defaults;
  OptionReader reader("SET", settings);
  ASSIGN_OR_RETURN(defaults.flink_defaults, reader.GetBool("slipstream.flink-defaults", false));
  if (reader.Has("table.exec.source.idle-timeout")) {
    ASSIGN_OR_RETURN(
        const std::chrono::milliseconds idle,
        reader.GetDuration("table.exec.source.idle-timeout", std::chrono::milliseconds(0)));
    defaults.idle_timeout_ms = idle.count();
  }
  return defaults;
}

Result<KafkaTable> ReadKafkaTable(const TableDefinition& table, const ConnectorDefaults& defaults) {
  KafkaTable read;
  OptionReader options(OwnerOf(table), table.options);
  ASSIGN_OR_RETURN(const std::string connector, options.GetString("connector"));
  const bool is_upsert = connector == "upsert-kafka";
  RETURN_IF_ERROR(options.GetString("topic").status());
  read.source.topics = options.GetList("topic");
  read.sink.topic = read.source.topics.empty() ? "" : read.source.topics.front();
  read.sink.is_upsert = is_upsert;
  for (auto& [name, value] : options.GetPrefixed("properties.")) {
    if (name == "group.id") {
      read.source.group_id = value;
      continue;
    }
    read.source.properties.emplace_back(name, value);
    read.sink.properties.emplace_back(name, value);
  }
  RETURN_IF_ERROR(ReadKey(table, options, is_upsert, read));
  const std::string plain = options.GetString("format", "");
  const std::string value = options.GetString("value.format", plain);
  const bool is_value = plain.empty() && !value.empty();
  RETURN_IF_ERROR(ReadJsonOptions(options, is_value ? "" : "value.").status());
  ASSIGN_OR_RETURN(
      read.value_format,
      ReadValueFormat(
          table, options, is_value ? "value.format" : "format", value, is_value ? "value." : ""));
  RETURN_IF_ERROR(ReadValueColumns(table, options, read));
  RETURN_IF_ERROR(ReadSource(table, defaults, options, read));
  RETURN_IF_ERROR(ReadSink(table, defaults, options, read));
  constexpr std::array<std::string_view, 7> kLater = {"topic-pattern",
                                                      "key.fields-prefix",
                                                      "late-rows.topic",
                                                      "scan.watermark.alignment.group",
                                                      "scan.topic-partition-discovery.interval",
                                                      "sink.buffer-flush.max-rows",
                                                      "sink.buffer-flush.interval"};
  RETURN_IF_ERROR(RefuseOptions(table, options, kLater));
  RETURN_IF_ERROR(options.CheckAllKnown());
  return read;
}

Result<FileTable> ReadFileTable(const TableDefinition& table) {
  FileTable read;
  OptionReader options(OwnerOf(table), table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  ASSIGN_OR_RETURN(read.sink.path, options.GetString("path"));
  ASSIGN_OR_RETURN(read.format,
                   ReadValueFormat(table, options, "format", options.GetString("format", ""), ""));
  read.sink.extension = read.format.is_raw ? ".txt" : ".jsonl";
  ASSIGN_OR_RETURN(read.sink.roll_bytes,
                   options.GetMemorySize("sink.rolling-policy.file-size", read.sink.roll_bytes));
  ASSIGN_OR_RETURN(const std::chrono::milliseconds interval,
                   options.GetDuration("sink.rolling-policy.rollover-interval",
                                       std::chrono::milliseconds(read.sink.roll_interval_ms)));
  if (read.sink.roll_bytes == 0 || interval.count() <= 0) {
    return InvalidArgument(OwnerOf(table) + ": a rolling policy of nothing");
  }
  read.sink.roll_interval_ms = interval.count();
  // How often rolling is looked at: at every commit.
  RETURN_IF_ERROR(
      options.GetDuration("sink.rolling-policy.check-interval", std::chrono::minutes(1)).status());
  options.Has("sink.parallelism");
  constexpr std::array<std::string_view, 6> kLater = {"sink.partition-commit.trigger",
                                                      "sink.partition-commit.delay",
                                                      "sink.partition-commit.policy.kind",
                                                      "auto-compaction",
                                                      "source.monitor-interval",
                                                      "partition.default-name"};
  RETURN_IF_ERROR(RefuseOptions(table, options, kLater));
  RETURN_IF_ERROR(options.CheckAllKnown());
  return read;
}

Result<runtime::PrintSinkSpec> ReadPrintTable(const TableDefinition& table) {
  OptionReader options(OwnerOf(table), table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  runtime::PrintSinkSpec spec{.prefix = options.GetString("print-identifier", "")};
  RETURN_IF_ERROR(options.GetBool("standard-error", false).status());
  options.Has("sink.parallelism");
  RETURN_IF_ERROR(options.CheckAllKnown());
  return spec;
}

}  // namespace slipstream::sql
