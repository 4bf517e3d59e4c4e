#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/check/check.h"
#include "processor/formats/json_decoder.h"
#include "processor/formats/json_encoder.h"
#include "processor/types/value.h"
#include "tests/fuzz/target.h"

// Lines of an input as records of JSON. A record gives the same rows alone and among others (the
// decoder predicts keys from the records before); what nlohmann's parser has in a column is what
// the decoder has; and rows that are encoded are decoded to themselves.

namespace slipstream::fuzz {
namespace {

using sql::DataType;
using sql::DecodedRows;
using sql::JsonDecoder;
using sql::JsonEncoder;
using sql::JsonOptions;
using sql::Schema;

constexpr size_t kRecordsMax = 16;
// simdjson goes no deeper than 1,024 levels; whoever is deeper may be refused.
constexpr size_t kNestingMax = 1'000;

enum Place : size_t { kInt, kText, kReal, kDecimal, kTruth, kTime, kBig, kDay };

const Schema& Fields() {
  static const auto* const kFields = new Schema{{"a", DataType::Int()},
                                                {"b", DataType::String()},
                                                {"c", DataType::Double()},
                                                {"d", DataType::Decimal(10, 2)},
                                                {"e", DataType::Boolean()},
                                                {"f", DataType::Timestamp(3)},
                                                {"g", DataType::BigInt()},
                                                {"h", DataType::Date()}};
  return *kFields;
}

JsonEncoder MakeEncoder(const JsonOptions& options) {
  std::vector<size_t> positions;
  for (size_t i = 0; i < Fields().size(); ++i)
    positions.push_back(i);
  return {Fields(), positions, options};
}

std::unique_ptr<JsonDecoder> MakeDecoder(const JsonOptions& options) {
  auto decoder = JsonDecoder::Create(Fields(), options);
  SLIPSTREAM_CHECK(decoder.ok(), "{}", decoder.status().ToString());
  return std::move(*decoder);
}

std::vector<std::string> RowTexts(const DecodedRows& rows, const JsonOptions& options) {
  const JsonEncoder encoder = MakeEncoder(options);
  std::vector<std::string> texts(rows.batch.rows);
  for (size_t row = 0; row < rows.batch.rows; ++row)
    encoder.Encode(rows.batch, row, texts[row]);
  return texts;
}

using Record = std::optional<std::string_view>;

DecodedRows DecodeAlone(const Record& record, const JsonOptions& options) {
  return MakeDecoder(options)->Decode({&record, 1});
}

// What stands in one row, against the same object as nlohmann has it.
void CheckRow(const sql::Batch& batch, size_t row, const nlohmann::json& object) {
  const auto value_of = [&](Place place) { return batch.columns[place].ValueAt(row); };
  if (const auto found = object.find("a"); found != object.end() && found->is_number_integer()) {
    SLIPSTREAM_CHECK(std::get<int64_t>(value_of(kInt)) == found->get<int64_t>(), "a");
  }
  if (const auto found = object.find("b"); found != object.end() && found->is_string()) {
    SLIPSTREAM_CHECK(std::get<std::string>(value_of(kText)) == found->get<std::string>(), "b");
  }
  if (const auto found = object.find("c"); found != object.end() && found->is_number()) {
    SLIPSTREAM_CHECK(std::get<double>(value_of(kReal)) == found->get<double>(), "c");
  }
  if (const auto found = object.find("e"); found != object.end() && found->is_boolean()) {
    SLIPSTREAM_CHECK(std::get<bool>(value_of(kTruth)) == found->get<bool>(), "e");
  }
  for (size_t place = 0; place < Fields().size(); ++place) {
    const auto found = object.find(Fields()[place].name);
    if (found != object.end() && !found->is_null()) continue;
    SLIPSTREAM_CHECK(batch.columns[place].is_null(row), "{} is not NULL", Fields()[place].name);
  }
}

void CheckAgainstReference(std::string_view record, const DecodedRows& rows) {
  if (record.find('\0') != std::string_view::npos) return;  // the end of the text, to the other
  if (static_cast<size_t>(std::count_if(record.begin(), record.end(), [](char c) {
        return c == '{' || c == '[';
      })) > kNestingMax) {
    return;
  }
  const nlohmann::json json = nlohmann::json::parse(record, nullptr, false);
  if (json.is_discarded()) return;
  const bool is_rows =
      json.is_object() ||
      (json.is_array() && std::all_of(json.begin(), json.end(), [](const auto& element) {
         return element.is_object();
       }));
  SLIPSTREAM_CHECK(is_rows || rows.batch.rows == 0, "rows of what is none");
  if (!is_rows) return;
  if (!rows.failures.empty()) {
    const std::string& message = rows.failures.front().message;
    SLIPSTREAM_CHECK(!message.starts_with("not JSON"), "it is JSON: {}", message);
    return;
  }
  SLIPSTREAM_CHECK(rows.batch.rows == (json.is_object() ? 1 : json.size()), "rows are missing");
  if (json.is_object()) return CheckRow(rows.batch, 0, json);
  for (size_t row = 0; row < json.size(); ++row)
    CheckRow(rows.batch, row, json[row]);
}

// Nothing is said of NaN and the infinities, which JSON can only give as texts, nor of what a
// timestamp's year leaves no text for.
void CheckRoundTrip(const std::vector<std::string>& texts, const JsonOptions& options) {
  for (const std::string& text : texts) {
    const DecodedRows again = DecodeAlone(std::string_view(text), options);
    SLIPSTREAM_CHECK(again.failures.empty(), "{}: {}", text, again.failures.front().message);
    SLIPSTREAM_CHECK(RowTexts(again, options).at(0) == text, "{}", text);
  }
}

std::vector<Record> RecordsOf(std::string_view input) {
  std::vector<Record> records;
  while (records.size() < kRecordsMax) {
    const size_t end = input.find('\n');
    records.emplace_back(input.substr(0, end));
    if (end == std::string_view::npos) break;
    input.remove_prefix(end + 1);
  }
  return records;
}

void Run(std::string_view input) {
  const uint8_t flags = input.empty() ? 0 : static_cast<uint8_t>(input.front());
  const JsonOptions options{.fail_on_missing_field = false,
                            .ignore_parse_errors = false,
                            .timestamp_format = (flags & 1) != 0
                                                    ? JsonOptions::TimestampFormat::kIso8601
                                                    : JsonOptions::TimestampFormat::kSql,
                            .ignore_null_fields = (flags & 2) != 0};
  const std::vector<Record> records = RecordsOf(input.substr(input.empty() ? 0 : 1));
  const DecodedRows together = MakeDecoder(options)->Decode(records);
  const std::vector<std::string> texts = RowTexts(together, options);
  size_t row = 0;
  size_t failure = 0;
  for (uint32_t i = 0; i < records.size(); ++i) {
    const DecodedRows alone = DecodeAlone(records[i], options);
    for (const std::string& text : RowTexts(alone, options)) {
      SLIPSTREAM_CHECK(row < texts.size() && together.origins[row] == i, "other rows");
      SLIPSTREAM_CHECK(texts[row] == text, "{} alone, {} among others", text, texts[row]);
      ++row;
    }
    if (!alone.failures.empty()) {
      SLIPSTREAM_CHECK(failure < together.failures.size() &&
                           together.failures[failure].record == i &&
                           together.failures[failure].message == alone.failures[0].message,
                       "another failure");
      ++failure;
    }
    if (!records[i]->empty()) CheckAgainstReference(*records[i], alone);
  }
  SLIPSTREAM_CHECK(row == texts.size() && failure == together.failures.size(), "more rows");
  CheckRoundTrip(texts, options);
}

std::vector<std::string> Seeds() {
  return {
      R"({"a":1,"b":"x","c":1.5,"d":2.25,"e":true,"f":"2013-01-01 05:15:00.5","g":9,"h":"2013-01-01"}
{"a":2,"b":"\u00e9\n","c":-0.0,"d":"1.005","e":"no","f":"2013-01-01 05:15:00","g":"-7","h":null})",
      " [{\"a\":1},{\"a\":1e3,\"b\":[1,{\"x\":2}]},{}]\n\n{\"b\":{\"c\":1},\"b\":true}",
      "\1{\"f\":\"2013-01-01T05:15:00\",\"unknown\":[[[]]],\"c\":\"NaN\"}\n{\"f\":\"0001-01-01T00:"
      "00:00\"}",
      "\2{\"a\":-2147483649}\n{\"g\":9223372036854775808}\n{\"c\":1e400}\n{\"b\":"
      "\"\\ud83d\\ude00\"}\n{",
      "\3{\"\\u0061\":5} x\n5\n\"a\"\n[1]\ntrue\nnull"};
}

}  // namespace

const Target kJsonRecords{.name = "json_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
