#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "processor/engine/connector_options.h"
#include "processor/engine/format_options.h"
#include "processor/engine/source_options.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

// "partition:0,offset:42;partition:1,offset:300"; nullopt: not of that form.
std::optional<std::map<int32_t, int64_t>> ParseOffsets(const std::vector<std::string>& parts) {
  std::map<int32_t, int64_t> offsets;
  for (const std::string& part : parts) {
    constexpr std::string_view kPartition = "partition:";
    constexpr std::string_view kOffset = ",offset:";
    const size_t comma = part.find(',');
    if (!part.starts_with(kPartition) || comma == std::string::npos) return std::nullopt;
    if (part.compare(comma, kOffset.size(), kOffset) != 0) return std::nullopt;
    const auto number = [&part](size_t begin, size_t end, auto& to) {
      const auto [stop, error] = std::from_chars(part.data() + begin, part.data() + end, to);
      return error == std::errc() && stop == part.data() + end && to >= 0;
    };
    int32_t partition = 0;
    int64_t offset = 0;
    if (!number(kPartition.size(), comma, partition) ||
        !number(comma + kOffset.size(), part.size(), offset)) {
      return std::nullopt;
    }
    if (!offsets.emplace(partition, offset).second) return std::nullopt;
  }
  return offsets.empty() ? std::nullopt : std::optional(std::move(offsets));
}

// KafkaTableReader: the options of one 'kafka' or 'upsert-kafka' table.
class KafkaTableReader {
 public:
  KafkaTableReader(const TableDefinition& table, const ConnectorDefaults& defaults)
      : table_(table), defaults_(defaults), options_("table " + table.name, table.options) {
    read_.is_upsert = table.connector() == "upsert-kafka";
  }

  Result<KafkaTable> Read() {
    RETURN_IF_ERROR(options_.GetString("connector").status());
    RETURN_IF_ERROR(ReadTopics());
    ReadProperties();
    RETURN_IF_ERROR(ReadKeyColumns());
    RETURN_IF_ERROR(ReadValueColumns());
    RETURN_IF_ERROR(ReadFormats());
    RETURN_IF_ERROR(ReadStartup());
    RETURN_IF_ERROR(ReadBound());
    RETURN_IF_ERROR(ReadSource());
    RETURN_IF_ERROR(ReadSink());
    RETURN_IF_ERROR(RefuseLater());
    RETURN_IF_ERROR(options_.CheckAllKnown());
    return std::move(read_);
  }

 private:
  Status Wrong(const std::string& what) const {
    return InvalidArgument("table " + table_.name + ": " + what);
  }

  Status ReadTopics() {
    read_.source.topic_pattern = options_.GetString("topic-pattern", "");
    const bool has_pattern = !read_.source.topic_pattern.empty();
    if (has_pattern && options_.Has("topic")) {
      return Wrong("'topic' and 'topic-pattern' are given both");
    }
    if (!has_pattern) RETURN_IF_ERROR(options_.GetString("topic").status());
    read_.source.topics = options_.GetList("topic");
    read_.sink.topic = read_.source.topics.size() == 1 ? read_.source.topics.front() : "";
    read_.sink.is_upsert = read_.is_upsert;
    return {};
  }

  void ReadProperties() {
    for (auto& [name, value] : options_.GetPrefixed("properties.")) {
      if (name == "group.id") {
        read_.source.group_id = value;
        continue;
      }
      read_.source.properties.emplace_back(name, value);
      read_.sink.properties.emplace_back(name, value);
    }
  }

  Status ReadKeyColumns() {
    const std::vector<std::string> fields = options_.GetList("key.fields");
    const bool has_format = options_.Has("key.format");
    if (read_.is_upsert) {
      if (table_.primary_key.empty()) return Wrong("upsert-kafka needs a PRIMARY KEY");
      if (!fields.empty()) {
        return Wrong("'key.fields' is not for upsert-kafka; its key is the PRIMARY KEY");
      }
      read_.key_columns = table_.primary_key;
      return {};
    }
    if (!fields.empty() && !has_format) return Wrong("'key.fields' needs a 'key.format'");
    if (has_format && fields.empty()) return Wrong("'key.format' needs 'key.fields'");
    for (const std::string& field : fields) {
      const auto found =
          std::find_if(table_.physical.begin(), table_.physical.end(), [&](size_t column) {
            return table_.schema[column].name == field;
          });
      if (found == table_.physical.end()) {
        return Wrong("'key.fields' names " + field + ", which is no column that is written");
      }
      read_.key_columns.push_back(*found);
    }
    return {};
  }

  Status ReadValueColumns() {
    constexpr std::array<std::string_view, 2> kWhich = {"ALL", "EXCEPT_KEY"};
    ASSIGN_OR_RETURN(const std::string which,
                     options_.GetOneOf("value.fields-include", "ALL", kWhich));
    for (size_t column : table_.physical) {
      if (which == "ALL" || !IsKey(column)) read_.value_columns.push_back(column);
    }
    const std::string prefix = options_.GetString("key.fields-prefix", "");
    read_.key_prefix_bytes = prefix.size();
    if (!prefix.empty() && which == "ALL") {
      return Wrong("'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY'");
    }
    for (size_t column : read_.key_columns) {
      const std::string& name = table_.schema[column].name;
      if (name.starts_with(prefix) && name.size() > prefix.size()) continue;
      return Wrong("the key column " + name + " does not begin with 'key.fields-prefix'");
    }
    if (read_.value_columns.empty()) return Wrong("nothing is left for the records' values");
    return {};
  }

  bool IsKey(size_t column) const {
    return std::find(read_.key_columns.begin(), read_.key_columns.end(), column) !=
           read_.key_columns.end();
  }

  Schema FieldsOf(const std::vector<size_t>& columns, size_t prefix_bytes) const {
    Schema fields;
    for (size_t column : columns) {
      fields.push_back(table_.schema[column]);
      fields.back().name.erase(0, prefix_bytes);
    }
    return fields;
  }

  Status ReadFormats() {
    if (options_.Has("format") && options_.Has("value.format")) {
      return Wrong("'format' and 'value.format' are the same option; give one");
    }
    ASSIGN_OR_RETURN(read_.value_format,
                     ReadFormat(table_,
                                options_,
                                options_.Has("value.format") ? "value.format" : "format",
                                FieldsOf(read_.value_columns, 0),
                                defaults_.open_registry));
    if (read_.key_columns.empty()) return {};
    ASSIGN_OR_RETURN(read_.key_format,
                     ReadFormat(table_,
                                options_,
                                "key.format",
                                FieldsOf(read_.key_columns, read_.key_prefix_bytes),
                                defaults_.open_registry));
    return {};
  }

  Result<std::map<int32_t, int64_t>> ReadOffsets(std::string_view key) {
    RETURN_IF_ERROR(options_.GetString(key).status());
    std::optional<std::map<int32_t, int64_t>> offsets = ParseOffsets(options_.GetList(key));
    if (offsets) return *std::move(offsets);
    return Wrong("'" + std::string(key) + "' is not like 'partition:0,offset:42;partition:1,…'");
  }

  Result<int64_t> ReadMillis(std::string_view key) {
    RETURN_IF_ERROR(options_.GetString(key).status());
    return options_.GetInt(key, 0, 0, INT64_MAX / 1'000);
  }

  Status ReadStartup() {
    using Startup = runtime::KafkaSourceSpec::Startup;
    static constexpr std::array<std::string_view, 5> kModes = {
        "group-offsets", "earliest-offset", "latest-offset", "timestamp", "specific-offsets"};
    const std::string_view fallback = read_.is_upsert ? "earliest-offset" : "group-offsets";
    ASSIGN_OR_RETURN(const std::string mode,
                     options_.GetOneOf("scan.startup.mode", fallback, kModes));
    runtime::KafkaSourceSpec& source = read_.source;
    source.startup =
        static_cast<Startup>(std::find(kModes.begin(), kModes.end(), mode) - kModes.begin());
    if (source.startup == Startup::kTimestamp) {
      ASSIGN_OR_RETURN(source.startup_timestamp_ms, ReadMillis("scan.startup.timestamp-millis"));
    }
    if (source.startup == Startup::kSpecificOffsets) {
      if (source.topics.size() != 1) return Wrong("specific offsets are for one topic");
      ASSIGN_OR_RETURN(source.startup_offsets, ReadOffsets("scan.startup.specific-offsets"));
    }
    return {};
  }

  Status ReadBound() {
    using Bound = runtime::KafkaSourceSpec::Bound;
    static constexpr std::array<std::string_view, 5> kModes = {
        "latest-offset", "group-offsets", "timestamp", "specific-offsets", "unbounded"};
    ASSIGN_OR_RETURN(const std::string mode,
                     options_.GetOneOf("scan.bounded.mode", "unbounded", kModes));
    runtime::KafkaSourceSpec& source = read_.source;
    source.is_bounded = mode != "unbounded";
    if (!source.is_bounded) return {};
    source.bound =
        static_cast<Bound>(std::find(kModes.begin(), kModes.end(), mode) - kModes.begin());
    if (source.bound == Bound::kTimestamp) {
      ASSIGN_OR_RETURN(source.bound_timestamp_ms, ReadMillis("scan.bounded.timestamp-millis"));
    }
    if (source.bound == Bound::kSpecificOffsets) {
      if (source.topics.size() != 1) return Wrong("specific offsets are for one topic");
      ASSIGN_OR_RETURN(source.bound_offsets, ReadOffsets("scan.bounded.specific-offsets"));
    }
    return {};
  }

  Status ReadSource() {
    RETURN_IF_ERROR(
        ReadSourceOptions(table_, defaults_, options_, read_.source, read_.watermark_on_event));
    read_.partitioned_by = options_.GetList("source.partitioned-by");
    // Rows of one key that lay in several partitions could not replace one another.
    if (read_.is_upsert && read_.partitioned_by.empty()) {
      for (size_t column : read_.key_columns)
        read_.partitioned_by.push_back(table_.schema[column].name);
    }
    for (const std::string& name : read_.partitioned_by) {
      const bool exists = std::any_of(table_.schema.begin(),
                                      table_.schema.end(),
                                      [&](const Field& field) { return field.name == name; });
      if (!exists) return Wrong("'source.partitioned-by' names " + name + ", which is no column");
    }
    // Partitions are looked for at every start.
    options_.Has("scan.topic-partition-discovery.interval");
    options_.Has("scan.parallelism");
    return {};
  }

  Status ReadSink() {
    if (read_.is_upsert) options_.Has("emit.early-interval");  // read where the query is planned
    constexpr std::array<std::string_view, 3> kGuarantees = {
        "exactly-once", "at-least-once", "none"};
    ASSIGN_OR_RETURN(const std::string guarantee,
                     options_.GetOneOf("sink.delivery-guarantee",
                                       defaults_.flink_defaults ? "at-least-once" : "exactly-once",
                                       kGuarantees));
    read_.sink.exactly_once = guarantee == "exactly-once";
    // The transactional id is the worker's slot, whatever prefix is asked for.
    options_.GetString("sink.transactional-id-prefix", "");
    options_.Has("sink.parallelism");
    // Records of an upsert table are gathered by key between commits in any case.
    if (read_.is_upsert) {
      RETURN_IF_ERROR(options_.GetInt("sink.buffer-flush.max-rows", 0, 0, INT32_MAX).status());
      RETURN_IF_ERROR(
          options_.GetDuration("sink.buffer-flush.interval", std::chrono::milliseconds(0))
              .status());
    }
    // Without a key librdkafka's own partitioner changes over between partitions, as round-robin
    // does in Flink.
    const std::string partitioner = options_.GetString("sink.partitioner", "default");
    if (partitioner == "round-robin" && !read_.key_columns.empty()) {
      return Wrong("'sink.partitioner' = 'round-robin' is for records without a key");
    }
    read_.sink.is_fixed = partitioner == "fixed";
    if (partitioner != "default" && partitioner != "round-robin" && !read_.sink.is_fixed) {
      return Unimplemented("table " + table_.name + ": 'sink.partitioner' = '" + partitioner +
                           "' is not supported; default, fixed and round-robin are");
    }
    return {};
  }

  Status RefuseLater() {
    if (!options_.Has("scan.watermark.alignment.group")) return {};
    return Unimplemented("table " + table_.name +
                         ": 'scan.watermark.alignment.group' is not supported yet");
  }

  const TableDefinition& table_;
  const ConnectorDefaults& defaults_;
  OptionReader options_;
  KafkaTable read_;
};

}  // namespace

Result<KafkaTable> ReadKafkaTable(const TableDefinition& table, const ConnectorDefaults& defaults) {
  return KafkaTableReader(table, defaults).Read();
}

}  // namespace slipstream::sql
