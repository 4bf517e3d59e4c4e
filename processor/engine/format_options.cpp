#include "processor/engine/format_options.h"

#include <array>
#include <optional>
#include <utility>

#include "processor/formats/csv_decoder.h"

namespace slipstream::sql {
namespace {

Result<JsonOptions> ReadJsonOptions(OptionReader& options, const std::string& json) {
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
  // Keys of a MAP are text, so there are none that are NULL.
  constexpr std::array<std::string_view, 3> kModes = {"FAIL", "DROP", "LITERAL"};
  RETURN_IF_ERROR(options.GetOneOf(json + "map-null-key.mode", "FAIL", kModes).status());
  options.GetString(json + "map-null-key.literal", "null");
  return read;
}

// One character; Flink lets it be written as "\t" and "\u0001" too.
Result<std::optional<char>> ReadCharacter(OptionReader& options, const std::string& key) {
  const std::optional<std::string> text = options.Find(key);
  if (!text) return std::optional<char>();
  if (text->size() == 1) return std::optional<char>((*text)[0]);
  if (*text == "\\t") return std::optional<char>('\t');
  if (*text == "\\\\") return std::optional<char>('\\');
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  const bool is_code = text->size() == 6 && text->starts_with("\\u00") && (*text)[4] < '8' &&
                       text->find_first_not_of(kHex, 4) == std::string::npos;
  if (is_code)
    return std::optional<char>(static_cast<char>(std::stoi(text->substr(2), nullptr, 16)));
  return InvalidArgument("'" + key + "' = '" + *text + "' is not one character of ASCII");
}

Result<CsvOptions> ReadCsvOptions(OptionReader& options, const std::string& csv) {
  CsvOptions read;
  ASSIGN_OR_RETURN(const std::optional<char> delimiter,
                   ReadCharacter(options, csv + "field-delimiter"));
  read.delimiter = delimiter.value_or(read.delimiter);
  ASSIGN_OR_RETURN(const std::optional<char> quote,
                   ReadCharacter(options, csv + "quote-character"));
  ASSIGN_OR_RETURN(const bool has_no_quote,
                   options.GetBool(csv + "disable-quote-character", false));
  if (has_no_quote && quote) {
    return InvalidArgument("'" + csv + "quote-character' and '" + csv +
                           "disable-quote-character' contradict one another");
  }
  read.quote = has_no_quote ? std::nullopt : std::optional(quote.value_or('"'));
  ASSIGN_OR_RETURN(read.escape, ReadCharacter(options, csv + "escape-character"));
  ASSIGN_OR_RETURN(read.allow_comments, options.GetBool(csv + "allow-comments", false));
  ASSIGN_OR_RETURN(read.ignore_parse_errors, options.GetBool(csv + "ignore-parse-errors", false));
  read.null_literal = options.Find(csv + "null-literal");
  read.array_delimiter = options.GetString(csv + "array-element-delimiter", read.array_delimiter);
  // Decimals are written in plain digits in any case: the same number.
  RETURN_IF_ERROR(options.GetBool(csv + "write-bigdecimal-in-scientific-notation", true).status());
  const char forbidden = read.delimiter;
  if (forbidden == '\n' || forbidden == '\r' || read.quote == forbidden ||
      read.escape == forbidden) {
    return InvalidArgument("'" + csv + "field-delimiter' is a line end, the quote or the escape");
  }
  return read;
}

Status CheckRaw(std::string_view option, const Schema& fields) {
  const bool is_one = fields.size() == 1;
  if (is_one && (fields[0].type.is_string() || fields[0].type.is_binary())) return {};
  return InvalidArgument("'" + std::string(option) +
                         "' = 'raw' takes one column of STRING or BYTES");
}

// Records that are changes are read from the values of ordinary topics alone.
Status CheckChanges(const TableDefinition& table, std::string_view option) {
  if (option == "key.format") {
    return InvalidArgument("'key.format' = 'debezium-json': a change has no place in a key");
  }
  if (table.connector() == "upsert-kafka") {
    return InvalidArgument(
        "'debezium-json' in an 'upsert-kafka' table, whose records are rows and not changes; "
        "'connector' = 'kafka' takes it");
  }
  if (table.connector() == "filesystem") {
    return Unimplemented("files of 'debezium-json' are not supported; topics are");
  }
  return {};
}

Result<DebeziumOptions> ReadDebeziumOptions(OptionReader& options, const std::string& debezium) {
  DebeziumOptions read;
  ASSIGN_OR_RETURN(read.json, ReadJsonOptions(options, debezium));
  ASSIGN_OR_RETURN(read.schema_include, options.GetBool(debezium + "schema-include", false));
  return read;
}

// `role`: what the records are of their topic, for the subject that Flink gives them.
Result<AvroOptions> ReadRegistryOptions(const TableDefinition& table,
                                        OptionReader& options,
                                        const std::string& avro,
                                        const std::string& role,
                                        const RegistryOpener& open_registry) {
  AvroOptions read;
  RegistryAddress address{.url = options.GetString(avro + "schema-registry.url", "")};
  if (address.url.empty()) {
    ASSIGN_OR_RETURN(address.url, options.GetString(avro + "url"));
  }
  const auto topic = table.options.find("topic");
  const std::string subject = topic == table.options.end() ? role : topic->second + "-" + role;
  read.subject = options.GetString(avro + "subject", subject);
  ASSIGN_OR_RETURN(read.ignore_parse_errors, options.GetBool(avro + "ignore-parse-errors", false));
  constexpr std::array<std::string_view, 1> kSources = {"USER_INFO"};
  RETURN_IF_ERROR(
      options.GetOneOf(avro + "basic-auth.credentials-source", "USER_INFO", kSources).status());
  address.user_info = options.GetString(avro + "basic-auth.user-info", "");
  constexpr std::array<std::string_view, 1> kTokenSources = {"STATIC_TOKEN"};
  RETURN_IF_ERROR(
      options.GetOneOf(avro + "bearer-auth.credentials-source", "STATIC_TOKEN", kTokenSources)
          .status());
  address.bearer_token = options.GetString(avro + "bearer-auth.token", "");
  if (!address.user_info.empty() && !address.bearer_token.empty()) {
    return InvalidArgument("'" + avro + "basic-auth.user-info' and '" + avro +
                           "bearer-auth.token': one of them is enough");
  }
  address.truststore = options.GetString(avro + "ssl.truststore.location", "");
  address.truststore_password = options.GetString(avro + "ssl.truststore.password", "");
  address.keystore = options.GetString(avro + "ssl.keystore.location", "");
  address.keystore_password = options.GetString(avro + "ssl.keystore.password", "");
  if (!open_registry) return Unimplemented("'avro-confluent' is for tables of Kafka");
  ASSIGN_OR_RETURN(read.registry, open_registry(address));
  return read;
}

Result<ValueFormat> Read(const TableDefinition& table,
                         OptionReader& options,
                         std::string_view option,
                         const Schema& fields,
                         const RegistryOpener& open_registry) {
  const std::string format = options.GetString(option, "");
  // "value.format" → "value."
  const std::string prefix(option.substr(0, option.size() - std::string_view("format").size()));
  ValueFormat read;
  if (format == "json") {
    ASSIGN_OR_RETURN(read.json, ReadJsonOptions(options, prefix + "json."));
  } else if (format == "raw") {
    read.kind = ValueFormat::Kind::kRaw;
    RETURN_IF_ERROR(CheckRaw(option, fields));
    constexpr std::array<std::string_view, 1> kCharsets = {"UTF-8"};
    RETURN_IF_ERROR(options.GetOneOf(prefix + "raw.charset", "UTF-8", kCharsets).status());
  } else if (format == "csv") {
    read.kind = ValueFormat::Kind::kCsv;
    ASSIGN_OR_RETURN(read.csv, ReadCsvOptions(options, prefix + "csv."));
  } else if (format == "debezium-json") {
    read.kind = ValueFormat::Kind::kDebeziumJson;
    RETURN_IF_ERROR(CheckChanges(table, option));
    ASSIGN_OR_RETURN(read.debezium, ReadDebeziumOptions(options, prefix + "debezium-json."));
  } else if (format == "avro") {
    read.kind = ValueFormat::Kind::kAvro;
    ASSIGN_OR_RETURN(read.avro.ignore_parse_errors,
                     options.GetBool(prefix + "avro.ignore-parse-errors", false));
  } else if (format == "avro-confluent") {
    read.kind = ValueFormat::Kind::kAvroConfluent;
    ASSIGN_OR_RETURN(read.avro,
                     ReadRegistryOptions(table,
                                         options,
                                         prefix + "avro-confluent.",
                                         prefix == "key." ? "key" : "value",
                                         open_registry));
  } else if (format.empty()) {
    return InvalidArgument("'" + std::string(option) + "' is missing");
  } else {
    return Unimplemented(
        "'" + std::string(option) + "' = '" + format +
        "' is not supported yet; json, csv, raw, avro, avro-confluent and debezium-json are");
  }
  return read;
}

}  // namespace

Result<ValueFormat> ReadFormat(const TableDefinition& table,
                               OptionReader& options,
                               std::string_view option,
                               const Schema& fields,
                               const RegistryOpener& open_registry) {
  Result<ValueFormat> read = Read(table, options, option, fields, open_registry);
  if (!read.ok()) return read.status().WithContext("table " + table.name);
  return read;
}

}  // namespace slipstream::sql
