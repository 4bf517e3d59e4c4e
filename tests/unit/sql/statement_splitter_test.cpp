#include "processor/sql/statement_splitter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

using ::testing::ElementsAre;
using Open = StatementSplitter::Open;

// The statements of a text given in pieces of `size` bytes, the rest of it last.
std::vector<std::string> Split(const std::string& text, size_t size) {
  StatementSplitter splitter;
  std::vector<std::string> statements;
  for (size_t at = 0; at < text.size(); at += size) {
    splitter.Add(std::string_view(text).substr(at, size));
    while (const auto statement = splitter.Next())
      statements.push_back(statement->text);
  }
  while (const auto rest = splitter.Rest())
    statements.push_back(rest->text);
  return statements;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> statements = Split(text, text.size() + 1);
  for (size_t size = 1; size < 4; ++size)
    EXPECT_EQ(Split(text, size), statements) << "in pieces of " << size;
  return statements;
}

Open OpenAfter(const std::string& text) {
  StatementSplitter splitter;
  splitter.Add(text);
  return splitter.open();
}

TEST(StatementSplitterTest, CutsAtSemicolons) {
  EXPECT_THAT(Split("SELECT 1; ;\n SELECT\n 2 ;SELECT 3"),
              ElementsAre("SELECT 1", "SELECT\n 2 ", "SELECT 3"));
  EXPECT_THAT(Split(" \n;; "), ElementsAre());
}

TEST(StatementSplitterTest, SemicolonsInTextAndCommentsAreNone) {
  EXPECT_THAT(Split("SELECT 'a;''b;', `c;d`; SELECT 2"),
              ElementsAre("SELECT 'a;''b;', `c;d`", "SELECT 2"));
  EXPECT_THAT(Split("SELECT 1 -- one; two\n + 2; SELECT 3 /* 'a; */ + 4;"),
              ElementsAre("SELECT 1 -- one; two\n + 2", "SELECT 3 /* 'a; */ + 4"));
  EXPECT_THAT(Split("SELECT 6 / 2 - 1 * 3;"), ElementsAre("SELECT 6 / 2 - 1 * 3"));
}

TEST(StatementSplitterTest, HintsArePartOfTheStatement) {
  EXPECT_THAT(Split("SELECT * FROM t /*+ OPTIONS('a' = ';*/') */; SELECT 2;"),
              ElementsAre("SELECT * FROM t /*+ OPTIONS('a' = ';*/') */", "SELECT 2"));
}

TEST(StatementSplitterTest, CommentsBeforeAStatementAreDropped) {
  EXPECT_THAT(Split("-- it's\n/* a; */ SELECT 1; -- the end;"), ElementsAre("SELECT 1"));
}

TEST(StatementSplitterTest, AStatementSetEndsWithEnd) {
  EXPECT_THAT(
      Split("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE x WHEN 1 THEN 2 END;\n"
            "INSERT INTO b SELECT 2; END; SELECT 3;"),
      ElementsAre("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE x WHEN 1 THEN 2 END;\n"
                  "INSERT INTO b SELECT 2; END",
                  "SELECT 3"));
  EXPECT_THAT(Split("begin statement set; insert into a select 1; end; SELECT 3;"),
              ElementsAre("begin statement set; insert into a select 1; end", "SELECT 3"));
}

TEST(StatementSplitterTest, SaysWhatIsOpen) {
  EXPECT_EQ(OpenAfter("SELECT 1;\n"), Open::kNothing);
  EXPECT_EQ(OpenAfter("-- a\n"), Open::kNothing);
  EXPECT_EQ(OpenAfter("SELECT 1\n"), Open::kStatement);
  EXPECT_EQ(OpenAfter("SELECT 'a\n"), Open::kString);
  EXPECT_EQ(OpenAfter("SELECT `a\n"), Open::kQuotedName);
  EXPECT_EQ(OpenAfter("SELECT 1 /* a\n"), Open::kComment);
}

TEST(StatementSplitterTest, KnowsWhereStatementsStand) {
  StatementSplitter splitter;
  splitter.Add("SELECT 1;\n-- a\n  SELECT\n2;");
  ASSERT_TRUE(splitter.Next().has_value());
  const auto second = splitter.Next();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->line, 3U);
  EXPECT_EQ(second->column, 3U);

  splitter.Clear();
  splitter.Add("\nSELECT 3;");
  EXPECT_EQ(splitter.Next()->line, 2U);
}

}  // namespace
}  // namespace slipstream::sql
