#include "producer/csv/csv_reader.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ReadRow {
  uint64_t line = 0;
  std::vector<std::string> fields;  // none: a bad row
  friend bool operator==(const ReadRow&, const ReadRow&) = default;
};

std::vector<ReadRow> ReadAll(const std::string& csv,
                             size_t chunk = 1 << 20,
                             const CsvReader::Options& options = {}) {
  CsvReader reader(std::make_unique<StringSource>(csv, chunk), options);
  std::vector<ReadRow> rows;
  while (true) {
    Result<CsvReader::Outcome> outcome = reader.Next();
    EXPECT_OK(outcome);
    if (!outcome.ok() || *outcome == CsvReader::Outcome::kEnd) return rows;
    ReadRow& row = rows.emplace_back();
    row.line = reader.line();
    if (*outcome == CsvReader::Outcome::kRow) {
      row.fields.assign(reader.fields().begin(), reader.fields().end());
    }
  }
}

std::vector<std::string> OneRow(const std::string& csv) {
  std::vector<ReadRow> rows = ReadAll(csv);
  EXPECT_EQ(rows.size(), 1U) << csv;
  return rows.empty() ? std::vector<std::string>{} : rows[0].fields;
}

TEST(CsvReaderTest, RowsEndInLfCrLfOrWithTheFile) {
  EXPECT_THAT(ReadAll("a,b\nc,d\r\ne,f"),
              ElementsAre(ReadRow{1, {"a", "b"}}, ReadRow{2, {"c", "d"}}, ReadRow{3, {"e", "f"}}));
  EXPECT_THAT(ReadAll("\"a\"\r\n\"b\""), ElementsAre(ReadRow{1, {"a"}}, ReadRow{2, {"b"}}));
}

TEST(CsvReaderTest, AQuotedFieldHoldsCommasQuotesAndLineEnds) {
  EXPECT_THAT(OneRow("\"New York, NY\",x\n"), ElementsAre("New York, NY", "x"));
  EXPECT_THAT(OneRow("\"say \"\"hi\"\"\",\"\"\"\"\n"), ElementsAre("say \"hi\"", "\""));
  EXPECT_THAT(ReadAll("\"two\nlines\",x\ny\n"),
              ElementsAre(ReadRow{1, {"two\nlines", "x"}}, ReadRow{3, {"y"}}));
}

TEST(CsvReaderTest, AQuoteWithinAPlainFieldIsItself) {
  EXPECT_THAT(OneRow("5\" pipe,x\n"), ElementsAre("5\" pipe", "x"));
}

TEST(CsvReaderTest, EmptyFieldsAndACommaAtTheEndCount) {
  EXPECT_THAT(OneRow(",,\n"), ElementsAre("", "", ""));
  EXPECT_THAT(OneRow("a,"), ElementsAre("a", ""));
}

TEST(CsvReaderTest, EmptyLinesAndAByteOrderMarkArePassedOver) {
  EXPECT_THAT(ReadAll("\xef\xbb\xbf"
                      "a\n\n\r\nb\n\n"),
              ElementsAre(ReadRow{1, {"a"}}, ReadRow{4, {"b"}}));
  EXPECT_THAT(ReadAll(""), IsEmpty());
  EXPECT_THAT(ReadAll("\xef\xbb\xbf"), IsEmpty());
}

TEST(CsvReaderTest, ABadRowCostsOneLine) {
  EXPECT_THAT(ReadAll("\"a\"b,c\nd\n"), ElementsAre(ReadRow{1, {}}, ReadRow{2, {"d"}}));
  EXPECT_THAT(ReadAll("x\n\"never closed\ny\nz\n"),
              ElementsAre(ReadRow{1, {"x"}}, ReadRow{2, {}}, ReadRow{3, {"y"}}, ReadRow{4, {"z"}}));
}

TEST(CsvReaderTest, RowsBeyondTheLimitsAreBad) {
  CsvReader::Options options{.row_bytes_max = 8, .fields_max = 3};

  EXPECT_THAT(ReadAll("12345678\n", 1, options), ElementsAre(ReadRow{1, {"12345678"}}));
  EXPECT_THAT(ReadAll(std::string(300'000, 'x') + "\ny\n", 4096, options),
              ElementsAre(ReadRow{1, {}}, ReadRow{2, {"y"}}));
  EXPECT_THAT(ReadAll("1,2,3\n1,2,3,4\n", 1, options),
              ElementsAre(ReadRow{1, {"1", "2", "3"}}, ReadRow{2, {}}));
}

TEST(CsvReaderTest, HowTheBytesArriveDoesNotMatter) {
  std::string csv = "a,\"b\"\"c\"\r\n\"x\ny\",z\r\n\"bad\"row\n\nlast,\"one\"";

  std::vector<ReadRow> whole = ReadAll(csv);

  for (size_t chunk = 1; chunk < csv.size(); ++chunk)
    EXPECT_EQ(ReadAll(csv, chunk), whole);
}

// Seeded mutations of a good file: whatever the bytes, the reader ends, stays within its limits,
// and gives the same however they arrive.
TEST(CsvReaderTest, SurvivesMutatedInput) {
  const std::string good =
      "id,name,place\r\n1,\"New York, NY\",JFK\n2,\"say \"\"hi\"\"\",\\N\n3,,\n\"4\n4\",x,y\n";
  const std::string alphabet = "\",\n\r\"\"a\xff\x00\xef\xbb\xbf";
  std::mt19937 random(20130101);
  for (int round = 0; round < 3000; ++round) {
    std::string csv = good;
    for (auto change = random() % 8; change > 0; --change) {
      size_t at = random() % csv.size();
      switch (random() % 3) {
        case 0:
          csv[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          csv.erase(at, random() % 5);
          if (csv.empty()) csv = "\"";
          break;
        default:
          csv.insert(at, 1 + random() % 3, alphabet[random() % alphabet.size()]);
      }
    }
    CsvReader::Options options{.row_bytes_max = 40, .fields_max = 4};

    std::vector<ReadRow> whole = ReadAll(csv, 1 << 20, options);
    std::vector<ReadRow> bytewise = ReadAll(csv, 1, options);

    ASSERT_EQ(whole, bytewise) << "round " << round;
    uint64_t last_line = 0;
    for (const ReadRow& row : whole) {
      ASSERT_GT(row.line, last_line);
      ASSERT_LE(row.fields.size(), 4U);
      last_line = row.line;
    }
  }
}

}  // namespace
}  // namespace slipstream::producer
