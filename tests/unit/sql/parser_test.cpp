#include "processor/sql/parser.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "processor/planner/planner.h"
#include "processor/sql/lexer.h"
#include "tests/unit/sql/golden.h"

namespace slipstream::sql {
namespace {

ast::Script ParseText(std::string text) {
  Result<ast::Script> script = Parse("query", std::move(text));
  EXPECT_TRUE(script.ok()) << script.status().message();
  return script.ok() ? std::move(script).value() : ast::Script{};
}

const ast::Select& FirstSelect(const ast::Script& script) {
  const auto& query = std::get<ast::QueryPtr>(script.statements.at(0).node);
  return std::get<ast::Select>(query->terms.at(0).body);
}

Diagnostic ErrorOf(const std::string& text) {
  try {
    ParseOrThrow("query", text);
  } catch (const SqlError& error) {
    return error.diagnostic();
  }
  ADD_FAILURE() << "parses: " << text;
  return {};
}

// The tree in prefix form, to see what binds to what.
std::string Shape(const ast::Expr& expr) {
  if (const auto* const unary = std::get_if<ast::Unary>(&expr.node)) {
    return "(" + unary->op + " " + Shape(*unary->operand) + ")";
  }
  if (const auto* const binary = std::get_if<ast::Binary>(&expr.node)) {
    return "(" + binary->op + " " + Shape(*binary->left) + " " + Shape(*binary->right) + ")";
  }
  if (const auto* const between = std::get_if<ast::Between>(&expr.node)) {
    return "(BETWEEN " + Shape(*between->value) + " " + Shape(*between->low) + " " +
           Shape(*between->high) + ")";
  }
  if (const auto* const literal = std::get_if<ast::Literal>(&expr.node)) return literal->text;
  return ast::ToString(std::get<ast::ColumnRef>(expr.node).parts);
}

std::string ShapeOf(const std::string& expression) {
  const ast::Script script = ParseText("SELECT " + expression);
  return Shape(*FirstSelect(script).items.at(0).value);
}

TEST(LexerTest, QuotesAreUndoubledAndCommentsDropped) {
  const SourceText source{.name = "q", .text = "'it''s' `a``b` /* x */ 1.5e-3 -- end\n<="};

  const std::vector<Token> tokens = Tokenize(source);

  ASSERT_EQ(tokens.size(), 5U);
  EXPECT_EQ(tokens[0].text, "it's");
  EXPECT_EQ(tokens[1].text, "a`b");
  EXPECT_EQ(tokens[2].text, "1.5e-3");
  EXPECT_EQ(tokens[3].text, "<=");
  EXPECT_EQ(tokens[4].kind, Token::Kind::kEnd);
}

TEST(LexerTest, OnlyUtf8IsTaken) {
  for (const std::string_view text :
       {"'\xff'", "'\xc0\xaf'", "'\xed\xa0\x80'", "'\xf5\x80\x80\x80'", "'\xe2\x82'", "\xe2"}) {
    EXPECT_THROW(Tokenize({.name = "q", .text = std::string(text)}), SqlError);
  }
  EXPECT_EQ(Tokenize({.name = "q", .text = "'\u20ac \U0001F600' `größe`"}).size(), 3U);
}

TEST(LexerTest, LongTextsAreRefused) {
  EXPECT_THROW(Tokenize({.name = "q", .text = std::string(kSourceBytesMax + 1, ' ')}), SqlError);
}

TEST(DiagnosticTest, CaretStandsUnderTheCharacter) {
  const Diagnostic error = ErrorOf("SELECT 1;\nSELECT 'größe', ^ FROM t");

  EXPECT_EQ(error.line, 2U);
  EXPECT_EQ(error.column, 17U);
  EXPECT_EQ(error.Render(),
            "query:2:17: unexpected character ^\n"
            "  2 | SELECT 'größe', ^ FROM t\n"
            "    |                 ^");
}

TEST(DiagnosticTest, LongLinesAreCutAroundThePlace) {
  const Diagnostic error =
      ErrorOf("SELECT " + std::string(5000, 'a') + " ^ " + std::string(5000, 'b'));

  EXPECT_LE(error.line_text.size(), 120U);
  EXPECT_EQ(error.line_text.at(error.caret), '^');
}

TEST(ParserTest, OperatorsBindAsInFlink) {
  EXPECT_EQ(ShapeOf("a + b * c - d"), "(- (+ a (* b c)) d)");
  EXPECT_EQ(ShapeOf("a OR b AND NOT c = d"), "(OR a (AND b (NOT (= c d))))");
  EXPECT_EQ(ShapeOf("-a * b"), "(* (NEGATE a) b)");
  EXPECT_EQ(ShapeOf("a || b = c"), "(= (|| a b) c)");
  EXPECT_EQ(ShapeOf("a = b IS NOT TRUE"), "(IS NOT TRUE (= a b))");
  EXPECT_EQ(ShapeOf("a BETWEEN 1 AND 2 + 3 AND b"), "(AND (BETWEEN a 1 (+ 2 3)) b)");
  EXPECT_EQ(ShapeOf("a IS DISTINCT FROM b + 1"), "(IS DISTINCT FROM a (+ b 1))");
  EXPECT_EQ(ShapeOf("(a - b) - (c - d)"), "(- (- a b) (- c d))");
  EXPECT_EQ(ShapeOf("a != b"), "(<> a b)");
}

TEST(ParserTest, KeywordsInAnyCaseNamesAsWritten) {
  const ast::Script script = ParseText("select `Order`, Day from T as x where TRUE");

  const ast::Select& select = FirstSelect(script);

  EXPECT_EQ(ast::ToString(std::get<ast::ColumnRef>(select.items.at(0).value->node).parts), "Order");
  EXPECT_EQ(ast::ToString(std::get<ast::ColumnRef>(select.items.at(1).value->node).parts), "Day");
  EXPECT_EQ(select.from->alias->text, "x");
}

TEST(ParserTest, WholeGrammarIsKnown) {
  ParseText(ReadSource("tests/unit/sql/golden/grammar.sql"));
}

TEST(ParserTest, TypesAsWritten) {
  const ast::Script script = ParseText(
      "SELECT CAST(a AS ROW<x ARRAY<INT NOT NULL>, y MAP<STRING, DECIMAL(10, 2)>>), "
      "CAST(a AS TIMESTAMP(3) WITH LOCAL TIME ZONE), CAST(a AS VARCHAR(5)), CAST(a AS DOUBLE "
      "PRECISION), "
      "CAST(a AS TIMESTAMP)");
  std::vector<std::string> types;
  for (const ast::SelectItem& item : FirstSelect(script).items) {
    types.push_back(std::get<ast::Cast>(item.value->node).type.ToString());
  }
  EXPECT_EQ(types,
            (std::vector<std::string>{"ROW<x ARRAY<INT NOT NULL>, y MAP<STRING, DECIMAL(10, 2)>>",
                                      "TIMESTAMP_LTZ(3)",
                                      "VARCHAR(5)",
                                      "DOUBLE",
                                      "TIMESTAMP(6)"}));
}

TEST(ParserTest, DeepNestingIsRefusedNotFatal) {
  const auto repeated = [](const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i)
      all += text;
    return all;
  };
  constexpr size_t kTimes = 100'000;
  for (const std::string& text : {"SELECT " + repeated("(", kTimes),
                                  "SELECT " + repeated("- ", kTimes) + "1",
                                  "SELECT " + repeated("NOT ", kTimes) + "a",
                                  "SELECT 1" + repeated(" + 1", kTimes),
                                  "SELECT " + repeated("f(", kTimes),
                                  "SELECT " + repeated("CASE WHEN ", kTimes),
                                  repeated("(", kTimes) + "SELECT 1",
                                  "SELECT * FROM " + repeated("(SELECT * FROM ", 50'000),
                                  "SELECT CAST(a AS " + repeated("ARRAY<", kTimes),
                                  "SELECT a" + repeated("[1]", kTimes),
                                  "SELECT * FROM a" + repeated(" JOIN a", kTimes),
                                  "SELECT * FROM a" + repeated(", a", kTimes),
                                  "SELECT a" + repeated(".b", kTimes) + "(",
                                  "SELECT " + repeated("(SELECT 1 + ", 30'000),
                                  "SELECT * FROM " + repeated("(", kTimes) + "a",
                                  "SELECT a" + repeated(" IS NULL", kTimes)}) {
    EXPECT_FALSE(Parse("query", text).ok()) << text.substr(0, 40);
  }
}

// Every text is either planned or refused with a message; seeded, so a failure can be had again.
TEST(ParserTest, MutatedTextsNeverCrash) {
  std::vector<std::string> seeds;
  for (const char* const path : {"jobs/flights_delays.sql",
                                 "jobs/weather_1m.sql",
                                 "jobs/carrier_report.sql",
                                 "tests/unit/sql/golden/tables.sql",
                                 "tests/unit/sql/golden/streaming.txt",
                                 "tests/unit/sql/golden/errors.txt",
                                 "tests/unit/sql/golden/refused.txt",
                                 "tests/unit/sql/golden/grammar.sql"}) {
    seeds.push_back(ReadSource(path));
  }
  std::mt19937 random(20'240'512);
  const auto below = [&](size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seeds[below(seeds.size())];
    const std::string& other = seeds[below(seeds.size())];
    const size_t start = below(text.size());
    text = text.substr(start, 1 + below(600));
    for (size_t change = below(4); change > 0; --change) {
      const size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text.erase(at, 1 + below(20));
          break;
        case 1:
          text[at] = static_cast<char>(below(256));
          break;
        case 2:
          text.insert(at, other.substr(below(other.size()), below(30)));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(60)));
          break;
      }
      if (text.empty()) text = ";";
    }
    const Result<JobPlan> job = Planner({}).Plan("query", text);
    if (!job.ok()) {
      EXPECT_FALSE(job.error().message().empty());
    }
  }
}

}  // namespace
}  // namespace slipstream::sql
