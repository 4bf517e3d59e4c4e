#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/check/check.h"
#include "producer/csv/byte_source.h"
#include "producer/csv/csv_reader.h"
#include "producer/flights/flight.h"
#include "producer/flights/flight_json.h"
#include "producer/flights/flight_parser.h"
#include "producer/flights/layout.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// A file of flights as it comes: compressed or not, read byte by byte and at once with the same
// rows; rows written with quotes are read as they were; whatever a row makes a flight of is JSON.

namespace slipstream::fuzz {
namespace {

using producer::ByteSource;
using producer::CsvReader;

// What a small file may unfold to before we stop looking.
constexpr size_t kRowsMax = 2'000;

class TextSource final : public ByteSource {
 public:
  TextSource(std::string_view text, size_t chunk) : text_(text), chunk_(chunk) {}
  Result<size_t> Read(std::span<char> out) override {
    const size_t count = std::min({out.size(), chunk_, text_.size()});
    text_.copy(out.data(), count);
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
  const size_t chunk_;
};

struct Row {
  std::vector<std::string> fields;  // empty: a bad row
  std::string reason;
  uint64_t line = 0;

  // Of two reasons to refuse a row the one that is seen first is given.
  friend bool operator==(const Row& a, const Row& b) {
    return a.fields == b.fields && a.line == b.line;
  }
};

struct Rows {
  std::vector<Row> rows;
  Status status;
};

Rows ReadRows(std::string_view text, size_t chunk, const CsvReader::Options& options) {
  Rows all;
  auto source = producer::Decompress(std::make_unique<TextSource>(text, chunk));
  if (!source.ok()) return {.rows = {}, .status = source.status()};
  CsvReader reader(std::move(*source), options);
  while (all.rows.size() < kRowsMax) {
    const Result<CsvReader::Outcome> outcome = reader.Next();
    all.status = outcome.status();
    if (!outcome.ok() || *outcome == CsvReader::Outcome::kEnd) break;
    Row& row = all.rows.emplace_back();
    row.line = reader.line();
    if (*outcome == CsvReader::Outcome::kBadRow) {
      row.reason = reader.reason();
      SLIPSTREAM_CHECK(!row.reason.empty(), "a bad row without a reason");
      continue;
    }
    row.fields.assign(reader.fields().begin(), reader.fields().end());
    SLIPSTREAM_CHECK(!row.fields.empty() && row.fields.size() <= options.fields_max, "fields");
  }
  return all;
}

// Of a damaged file more or fewer of the rows before the damage may be seen, and other words may
// be found for it.
void CheckSame(const Rows& at_once, const Rows& byte_by_byte) {
  SLIPSTREAM_CHECK(at_once.status.code() == byte_by_byte.status.code(),
                   "{} and {}",
                   at_once.status.ToString(),
                   byte_by_byte.status.ToString());
  const size_t count = std::min(at_once.rows.size(), byte_by_byte.rows.size());
  SLIPSTREAM_CHECK(std::equal(at_once.rows.begin(),
                              at_once.rows.begin() + static_cast<ptrdiff_t>(count),
                              byte_by_byte.rows.begin()),
                   "other rows");
  SLIPSTREAM_CHECK(!at_once.status.ok() || at_once.rows.size() == byte_by_byte.rows.size(),
                   "{} and {} rows",
                   at_once.rows.size(),
                   byte_by_byte.rows.size());
}

std::string Quoted(const std::string& field) {
  std::string quoted = "\"";
  for (const char c : field)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void CheckQuoting(const Rows& rows, const CsvReader::Options& options) {
  std::string text;
  std::vector<std::vector<std::string>> wanted;
  for (const Row& row : rows.rows) {
    if (row.fields.empty()) continue;
    std::string line;
    for (const std::string& field : row.fields)
      line += (line.empty() ? "" : ",") + Quoted(field);
    // Quotes may make a row too long.
    if (line.size() > options.row_bytes_max) continue;
    text += line + "\r\n";
    wanted.push_back(row.fields);
  }
  const Rows again = ReadRows(text, 1 << 20, options);
  SLIPSTREAM_CHECK(
      again.rows.size() == wanted.size(), "{} of {} rows", again.rows.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    SLIPSTREAM_CHECK(again.rows[i].fields == wanted[i], "row {}: {}", i, again.rows[i].reason);
}

void ParseFlights(const Rows& rows) {
  std::vector<std::string_view> fields;
  const auto view = [&](const Row& row) { fields.assign(row.fields.begin(), row.fields.end()); };
  if (rows.rows.empty() || rows.rows[0].fields.empty()) return;
  view(rows.rows[0]);
  const auto layout = producer::Layout::Recognise(fields);
  if (!layout.ok()) return;
  uint64_t number = 0;
  for (const Row& row : rows.rows) {
    if (row.fields.empty()) continue;
    view(row);
    producer::Flight flight;
    if (!producer::ParseFlight(*layout, fields, ++number, flight).ok()) continue;
    for (const auto style : {producer::NumberStyle::kNumbers, producer::NumberStyle::kStrings}) {
      std::string json;
      producer::AppendJson(flight, style, json);
      SLIPSTREAM_CHECK(nlohmann::json::accept(json), "not JSON: {}", json);
    }
  }
}

void Run(std::string_view input) {
  InputReader reader(input);
  const CsvReader::Options options{.row_bytes_max = size_t{16} << reader.Below(8),
                                   .fields_max = 1 + reader.Below(128)};
  const std::string_view text = reader.Rest();
  const Rows rows = ReadRows(text, 1 << 20, options);
  CheckSame(rows, ReadRows(text, 1, options));
  CheckQuoting(rows, options);
  ParseFlights(rows);
}

std::vector<std::string> Seeds() {
  const std::string head = "\7\x7f";
  const std::string nineteen =
      "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
      "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
      "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
      "2013,1,1,NA,515,NA,NA,819,NA,UA,1545,\"N1\"\"2\",EWR,IAH,NA,1400,5,15,2013-01-01 05:00:00\n";
  return {head + nineteen,
          head + "a,\"b,c\",\"d\ne\"\r\n\n\xef\xbb\xbfx,\"y\"z\n\"open",
          "\0\1" + nineteen,
          // gzip and zstd of "a,b\n".
          head + std::string("\037\213\010\000\000\000\000\000\000\003\113\324\111\342\002\000\305"
                             "\020\227\044\004\000\000\000",
                             24),
          head + std::string("\x28\xb5\x2f\xfd\x20\x04\x21\0\0"
                             "a,b\n",
                             13)};
}

}  // namespace

const Target kCsvText{.name = "csv_text", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
