#include "processor/engine/connector_options.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include <re2/re2.h>

#include "processor/engine/format_options.h"
#include "processor/engine/partition_time.h"
#include "processor/engine/source_options.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

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

// What 'partition.time-extractor.…' and the zone of the watermark say.
Result<runtime::FileSinkSpec::PartitionCommit> ReadPartitionTime(const TableDefinition& table,
                                                                 OptionReader& options) {
  constexpr std::array<std::string_view, 1> kExtractors = {"default"};
  if (options.Has("partition.time-extractor.class")) {
    return Unimplemented(OwnerOf(table) + ": 'partition.time-extractor.class' is Java's");
  }
  RETURN_IF_ERROR(
      options.GetOneOf("partition.time-extractor.kind", "default", kExtractors).status());
  constexpr const char* kZone = "sink.partition-commit.watermark-time-zone";
  const std::string zone = options.GetString(kZone, "UTC");
  PartitionTime::Options of{
      .columns = {},
      .pattern = options.GetString("partition.time-extractor.timestamp-pattern", ""),
      .formatter = options.Find("partition.time-extractor.timestamp-formatter"),
      .zone = TimeZone::Find(zone)};
  if (of.zone == nullptr) {
    return InvalidArgument(OwnerOf(table) + ": '" + kZone + "': no time zone '" + zone + "'");
  }
  for (const size_t column : table.partition_columns)
    of.columns.push_back(table.schema[column].name);
  constexpr std::array<std::string_view, 2> kTriggers = {"process-time", "partition-time"};
  ASSIGN_OR_RETURN(const std::string trigger,
                   options.GetOneOf("sink.partition-commit.trigger", "process-time", kTriggers));
  runtime::FileSinkSpec::PartitionCommit commit{.is_by_watermark = trigger == "partition-time",
                                                .time_of = nullptr};
  if (!commit.is_by_watermark) return commit;
  auto time = PartitionTime::Create(std::move(of));
  if (!time.ok()) {
    return time.status().WithContext(OwnerOf(table) +
                                     ": 'sink.partition-commit.trigger' = 'partition-time'");
  }
  commit.time_of = [time = *time](std::string_view path) { return time->Of(path); };
  return commit;
}

Status ReadPartitionCommit(const TableDefinition& table,
                           OptionReader& options,
                           runtime::FileSinkSpec& sink) {
  ASSIGN_OR_RETURN(sink.partition_commit, ReadPartitionTime(table, options));
  ASSIGN_OR_RETURN(
      const std::chrono::milliseconds delay,
      options.GetDuration("sink.partition-commit.delay", std::chrono::milliseconds(0)));
  sink.partition_commit.delay_ms = delay.count();
  const std::string name = options.GetString("sink.partition-commit.success-file.name", "_SUCCESS");
  if (!options.Has("sink.partition-commit.policy.kind")) return {};
  constexpr std::array<std::string_view, 1> kPolicies = {"success-file"};
  RETURN_IF_ERROR(
      options.GetOneOf("sink.partition-commit.policy.kind", "success-file", kPolicies).status());
  const bool is_hidden = name.starts_with('_') || name.starts_with('.');
  if (!is_hidden || name.find('/') != std::string::npos) {
    return InvalidArgument(OwnerOf(table) + ": 'sink.partition-commit.success-file.name' = '" +
                           name + "' has to begin with '_' or '.', or it would be read as rows");
  }
  sink.success_file = name;
  return {};
}

Status ReadPathPattern(const TableDefinition& table, OptionReader& options, FileTable& read) {
  constexpr const char* kOption = "source.path.regex-pattern";
  if (!options.Has(kOption)) return {};
  ASSIGN_OR_RETURN(read.path_pattern, options.GetString(kOption));
  const re2::RE2 pattern(read.path_pattern, re2::RE2::Quiet);
  if (pattern.ok()) return {};
  return InvalidArgument(OwnerOf(table) + ": '" + kOption + "' = '" + read.path_pattern +
                         "': " + pattern.error());
}

Status ReadWatch(const TableDefinition& table,
                 const ConnectorDefaults& defaults,
                 OptionReader& options,
                 FileTable& read) {
  constexpr const char* kOption = "source.monitor-interval";
  constexpr int64_t kTasksMax = 100;
  if (!options.Has(kOption)) return {};
  ASSIGN_OR_RETURN(const std::chrono::milliseconds interval,
                   options.GetDuration(kOption, std::chrono::milliseconds(0)));
  if (interval.count() <= 0) {
    return InvalidArgument(OwnerOf(table) + ": '" + kOption + "' has to be longer than nothing");
  }
  FolderWatch& watch = read.watch.emplace();
  watch.interval_us = std::chrono::microseconds(interval).count();
  ASSIGN_OR_RETURN(const int64_t tasks, options.GetInt("scan.parallelism", 1, 1, kTasksMax));
  watch.source.pull_tasks = static_cast<int32_t>(tasks);
  return ReadSourceOptions(table, defaults, options, watch.source, watch.watermark_on_event);
}

const char* ExtensionOf(ValueFormat::Kind format) {
  switch (format) {
    case ValueFormat::Kind::kRaw:
      return ".txt";
    case ValueFormat::Kind::kCsv:
      return ".csv";
    default:
      break;
  }
  return ".jsonl";
}

}  // namespace

Result<Connector> ConnectorOf(const TableDefinition& table) {
  const std::string& name = table.connector();
  if (name == "kafka") return Connector::kKafka;
  if (name == "upsert-kafka") return Connector::kUpsertKafka;
  if (name == "filesystem") return Connector::kFilesystem;
  if (name == "print") return Connector::kPrint;
  if (name == "blackhole") return Connector::kBlackhole;
  if (name == "datagen") return Connector::kDatagen;
  if (name.empty()) return InvalidArgument(OwnerOf(table) + ": 'connector' is missing");
  return InvalidArgument(
      OwnerOf(table) + ": no connector '" + name +
      "'; there are kafka, upsert-kafka, filesystem, datagen, print and blackhole");
}

Result<ConnectorDefaults> ConnectorDefaults::From(const Options& settings,
                                                  RegistryOpener open_registry) {
  ConnectorDefaults defaults;
  defaults.open_registry = std::move(open_registry);
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

Result<FileTable> ReadFileTable(const TableDefinition& table, const ConnectorDefaults& defaults) {
  FileTable read;
  OptionReader options(OwnerOf(table), table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  ASSIGN_OR_RETURN(read.sink.path, options.GetString("path"));
  Schema fields;
  for (size_t column : table.physical) {
    const bool is_partition =
        std::find(table.partition_columns.begin(), table.partition_columns.end(), column) !=
        table.partition_columns.end();
    if (!is_partition) fields.push_back(table.schema[column]);
  }
  ASSIGN_OR_RETURN(read.format, ReadFormat(table, options, "format", fields, {}));
  using Kind = ValueFormat::Kind;
  if (read.format.kind == Kind::kAvro || read.format.kind == Kind::kAvroConfluent) {
    return Unimplemented(OwnerOf(table) + ": files of Avro are not supported; topics are");
  }
  read.sink.extension = ExtensionOf(read.format.kind);
  ASSIGN_OR_RETURN(read.sink.roll_bytes,
                   options.GetMemorySize("sink.rolling-policy.file-size", read.sink.roll_bytes));
  ASSIGN_OR_RETURN(const std::chrono::milliseconds interval,
                   options.GetDuration("sink.rolling-policy.rollover-interval",
                                       std::chrono::milliseconds(read.sink.roll_interval_ms)));
  ASSIGN_OR_RETURN(const std::chrono::milliseconds inactivity,
                   options.GetDuration("sink.rolling-policy.inactivity-interval",
                                       std::chrono::milliseconds(read.sink.roll_inactivity_ms)));
  if (read.sink.roll_bytes == 0 || interval.count() <= 0 || inactivity.count() <= 0) {
    return InvalidArgument(OwnerOf(table) + ": a rolling policy of nothing");
  }
  read.sink.roll_interval_ms = interval.count();
  read.sink.roll_inactivity_ms = inactivity.count();
  // How often rolling is looked at: at every commit.
  RETURN_IF_ERROR(
      options.GetDuration("sink.rolling-policy.check-interval", std::chrono::minutes(1)).status());
  ASSIGN_OR_RETURN(const std::chrono::milliseconds lookup_ttl,
                   options.GetDuration("lookup.cache.ttl", std::chrono::seconds(10)));
  read.lookup_cache_ttl_us = std::chrono::microseconds(lookup_ttl).count();
  options.Has("sink.parallelism");
  RETURN_IF_ERROR(ReadPartitionCommit(table, options, read.sink));
  RETURN_IF_ERROR(ReadPathPattern(table, options, read));
  RETURN_IF_ERROR(ReadWatch(table, defaults, options, read));
  constexpr std::array<std::string_view, 2> kLater = {"auto-compaction", "partition.default-name"};
  RETURN_IF_ERROR(RefuseOptions(table, options, kLater));
  RETURN_IF_ERROR(options.CheckAllKnown());
  return read;
}

Status CheckBlackholeTable(const TableDefinition& table) {
  OptionReader options(OwnerOf(table), table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  options.Has("property-version");
  return options.CheckAllKnown();
}

Result<PrintTable> ReadPrintTable(const TableDefinition& table) {
  OptionReader options(OwnerOf(table), table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  PrintTable print{.sink = {.prefix = options.GetString("print-identifier", "")}};
  const std::string layout = options.GetString("print.layout", "flink");
  if (layout == "table") {
    print.layout = PrintTable::Layout::kTable;
  } else if (layout == "table-of-changes") {
    print.layout = PrintTable::Layout::kTableOfChanges;
  } else if (layout != "flink") {
    return InvalidArgument("table " + table.name + ": 'print.layout' = '" + layout +
                           "': it is flink, table or table-of-changes");
  }
  RETURN_IF_ERROR(options.GetBool("standard-error", false).status());
  options.Has("sink.parallelism");
  RETURN_IF_ERROR(options.CheckAllKnown());
  return print;
}

}  // namespace slipstream::sql
