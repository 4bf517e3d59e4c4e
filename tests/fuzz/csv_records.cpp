#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "processor/formats/csv_decoder.h"
#include "processor/formats/csv_encoder.h"
#include "processor/formats/csv_record.h"
#include "processor/types/data_type.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/sql/test_schema.h"

// A file of CSV as records, and records as rows. Line ends are found in the same places whatever
// pieces the file comes in; a record gives the same row alone and among others; and rows that are
// written are read to what was written.

namespace slipstream::fuzz {
namespace {

using sql::AllPositions;
using sql::CsvDecoder;
using sql::CsvEncoder;
using sql::CsvOptions;
using sql::DataType;
using sql::DecodedRows;
using sql::NestedType;
using sql::Schema;

constexpr size_t kRecordsMax = 16;

const Schema& Fields() {
  static const auto* const kFields = new Schema{
      {"a", DataType::Int()},
      {"b", DataType::String()},
      {"c", DataType::Decimal(10, 2)},
      {"d", DataType::Timestamp(3)},
      {"e", NestedType(sql::TypeKind::kArray, {{"element", DataType::String()}})},
      {"f", DataType{.kind = sql::TypeKind::kVarbinary, .precision = INT32_MAX}},
      {"g",
       NestedType(sql::TypeKind::kRow, {{"x", DataType::Double()}, {"y", DataType::Boolean()}})}};
  return *kFields;
}

DecodedRows Decode(std::span<const std::optional<std::string_view>> records,
                   const CsvOptions& options) {
  auto decoder = CsvDecoder::Create(Fields(), AllPositions(Fields()), options);
  SLIPSTREAM_CHECK(decoder.ok(), "{}", decoder.status().ToString());
  return (*decoder)->Decode(records);
}

std::vector<std::string> RowTexts(const DecodedRows& rows, const CsvOptions& options) {
  const CsvEncoder encoder(AllPositions(Fields()), options);
  std::vector<std::string> texts(rows.batch.rows);
  for (size_t row = 0; row < rows.batch.rows; ++row)
    encoder.Encode(rows.batch, row, texts[row]);
  return texts;
}

// The records of a file that comes in pieces of so many bytes.
std::vector<std::string_view> SplitLines(std::string_view file,
                                         size_t piece,
                                         const CsvOptions& options) {
  sql::CsvLineEnds ends(options);
  std::vector<std::string_view> lines;
  size_t begin = 0;
  size_t searched = 0;
  while (searched < file.size() && lines.size() < kRecordsMax) {
    const size_t limit = std::min(file.size(), searched + piece);
    const size_t found = ends.Find(file.substr(searched, limit - searched));
    if (found == std::string_view::npos) {
      searched = limit;
      continue;
    }
    lines.push_back(file.substr(begin, searched + found - begin));
    begin = searched = searched + found + 1;
  }
  if (begin < file.size() && lines.size() < kRecordsMax) lines.push_back(file.substr(begin));
  return lines;
}

// What was written, written again from what is read of it. Without quotes a text with a delimiter
// is other fields, and an array's elements are not kept apart from what they hold. Where errors are
// ignored, NULL is written as nothing and read as a ROW of NULLs.
void CheckRoundTrip(const std::vector<std::string>& texts, const CsvOptions& options) {
  if (!options.quote || options.null_literal || options.allow_comments ||
      options.ignore_parse_errors) {
    return;
  }
  for (const std::string& text : texts) {
    const std::optional<std::string_view> record(text);
    const DecodedRows again = Decode({&record, 1}, options);
    // A number that is NULL is written as nothing, which is no number.
    if (!again.failures.empty()) continue;
    const std::string written = again.batch.rows == 0 ? "no row" : RowTexts(again, options)[0];
    SLIPSTREAM_CHECK(written == text, "{} written as {}", text, written);
  }
}

CsvOptions OptionsOf(InputReader& reader) {
  CsvOptions options;
  const uint8_t flags = reader.Byte();
  if ((flags & 1) != 0) options.delimiter = '|';
  if ((flags & 2) != 0) options.quote.reset();
  if ((flags & 4) != 0) options.escape = '\\';
  if ((flags & 8) != 0) options.null_literal = "null";
  options.allow_comments = (flags & 16) != 0;
  options.ignore_parse_errors = (flags & 32) != 0;
  return options;
}

void Run(std::string_view input) {
  InputReader reader(input);
  const CsvOptions options = OptionsOf(reader);
  const std::string_view file = reader.Rest();
  const std::vector<std::string_view> lines = SplitLines(file, SIZE_MAX - file.size(), options);
  SLIPSTREAM_CHECK(lines == SplitLines(file, 1, options), "other lines, byte by byte");
  const std::vector<std::optional<std::string_view>> records(lines.begin(), lines.end());
  const DecodedRows together = Decode(records, options);
  const std::vector<std::string> texts = RowTexts(together, options);
  size_t row = 0;
  size_t failure = 0;
  uint64_t skipped = 0;
  for (uint32_t i = 0; i < records.size(); ++i) {
    const DecodedRows alone = Decode({&records[i], 1}, options);
    for (const std::string& text : RowTexts(alone, options)) {
      SLIPSTREAM_CHECK(row < texts.size() && together.origins[row] == i, "other rows");
      SLIPSTREAM_CHECK(texts[row] == text, "{} alone, {} among others", text, texts[row]);
      ++row;
    }
    skipped += alone.skipped;
    if (alone.failures.empty()) continue;
    SLIPSTREAM_CHECK(failure < together.failures.size() && together.failures[failure].record == i &&
                         together.failures[failure].message == alone.failures[0].message,
                     "another failure");
    ++failure;
  }
  SLIPSTREAM_CHECK(
      row == texts.size() && failure == together.failures.size() && skipped == together.skipped,
      "more rows");
  CheckRoundTrip(texts, options);
}

std::vector<std::string> Seeds() {
  const std::string row = "1,plain,2.50,2020-04-15 08:05:00.5,x;y;,aGVsbG8=,1.5;true";
  return {std::string(1, '\0') + row + "\n" + row + ",\r\n2,\"quo\"\"ted\nline\",1,,,,\n",
          std::string(1, '\1') + "1|\"a|b\"|1|2020-04-15 08:05:00|a|aA==|1;no\n\n|||||||\n",
          std::string(1, '\x3c') + "1,a\\,b,null,null,null,null\n#,\"comment\nx\n\"open",
          std::string(1, '\2') + "1,\"a,2,2020-01-01 00:00:00,,,0;f\n",
          std::string(1, '\4') + "1,\"a\\\"b\\n\"  ,2,2020-01-01 00:00:00,,,0;f\n"};
}

}  // namespace

const Target kCsvRecords{.name = "csv_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
