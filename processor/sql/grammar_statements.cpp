#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "processor/sql/grammar.h"
#include "processor/sql/nearest_name.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

constexpr size_t kColumnsMax = 2000;

// Statements of Flink's that mean something to a cluster of its own.
constexpr std::array kForeignStatements = std::to_array<std::string_view>({"ALTER",
                                                                           "LOAD",
                                                                           "UNLOAD",
                                                                           "ADD",
                                                                           "REMOVE",
                                                                           "DELETE",
                                                                           "UPDATE",
                                                                           "TRUNCATE",
                                                                           "ANALYZE",
                                                                           "CALL",
                                                                           "QUIT",
                                                                           "CLEAR",
                                                                           "STOP",
                                                                           "MERGE"});

}  // namespace

ast::Script Grammar::ParseScript() {
  ast::Script script{.source = source_};
  while (true) {
    while (Accept(";")) {
    }
    if (Peek().kind == Token::Kind::kEnd) return script;
    script.statements.push_back(ParseStatement());
    if (NextIs(";") || Peek().kind == Token::Kind::kEnd) continue;
    // A misspelt keyword was taken for an alias: SELECT a FORM t.
    const std::string nearest =
        NearestName(tokens_[at_ - 1].text,
                    std::array<std::string, 8>{
                        "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "JOIN"});
    if (tokens_[at_ - 1].kind == Token::Kind::kWord && !nearest.empty() &&
        !EqualsIgnoreCase(nearest, tokens_[at_ - 1].text)) {
      Fail(tokens_[at_ - 1].span,
           fmt::format("unexpected \"{}\"", tokens_[at_ - 1].text),
           fmt::format("did you mean {}?", nearest));
    }
    Unexpected("the end of the statement (\";\")",
               {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "JOIN", "WITH"});
  }
}

ast::Statement Grammar::ParseStatement() {
  ast::Statement statement;
  statement.at = Peek().span;
  if (NextIsWord("CREATE")) {
    statement = ParseCreate();
  } else if (NextIsWord("DROP")) {
    statement.node = ParseDrop();
  } else if (NextIsWord("SET")) {
    statement = ParseSet();
  } else if (NextIsWord("RESET")) {
    statement.node = ParseReset();
  } else if (NextIsWord("INSERT")) {
    statement.node = ParseInsert();
  } else if (NextAreWords({"EXECUTE", "STATEMENT"}) || NextAreWords({"BEGIN", "STATEMENT"})) {
    statement.node = ParseStatementSet();
  } else if (NextAreWords({"EXECUTE", "INSERT"})) {
    Take();
    statement.node = ParseInsert();
  } else if (NextIsWord("EXPLAIN")) {
    statement.node = ParseExplain();
  } else if (NextIsWord("SHOW")) {
    statement = ParseShow();
  } else if (AcceptWord("DESCRIBE") || AcceptWord("DESC")) {
    if (Peek(1).kind == Token::Kind::kWord || Peek(1).kind == Token::Kind::kQuotedName) {
      AcceptWord("EXTENDED");
    }
    statement.node = ast::Describe{ExpectQualifiedName("a table's name")};
  } else if (NextAreWords({"USE", "MODULES"})) {
    Unsupported(Peek().span, "USE MODULES is");
  } else if (NextIsWord("USE")) {
    statement.node = ParseUse();
  } else if (NextIsQuery()) {
    statement.node = ParseQuery();
  } else {
    UnknownStatement();
  }
  statement.at = Join(statement.at, PreviousSpan());
  return statement;
}

void Grammar::UnknownStatement() const {
  static const std::vector<std::string> known = {"CREATE",
                                                 "DROP",
                                                 "SET",
                                                 "RESET",
                                                 "INSERT",
                                                 "SELECT",
                                                 "EXECUTE",
                                                 "EXPLAIN",
                                                 "SHOW",
                                                 "DESCRIBE",
                                                 "WITH",
                                                 "VALUES"};
  const Token& token = Peek();
  for (const std::string_view word : kForeignStatements) {
    if (!token.IsWord(word)) continue;
    const bool is_jar = token.IsWord("ADD") || token.IsWord("REMOVE");
    Unsupported(token.span,
                fmt::format("{} statements are", word),
                is_jar ? "connectors and formats are built in: leave it out" : "");
  }
  const std::string nearest =
      token.kind == Token::Kind::kWord ? NearestName(token.text, known) : "";
  Fail(token.span,
       "expected a statement: CREATE, DROP, SET, INSERT, SELECT, EXECUTE STATEMENT SET, EXPLAIN, "
       "SHOW TABLES or DESCRIBE",
       nearest.empty() ? "" : fmt::format("did you mean {}?", nearest));
}

ast::Statement Grammar::ParseCreate() {
  ast::Statement statement;
  statement.at = ExpectWord("CREATE");
  if (NextAreWords({"OR", "REPLACE"})) {
    Unsupported(Peek().span, "CREATE OR REPLACE is", "DROP … IF EXISTS first");
  }
  const bool is_temporary = AcceptWord("TEMPORARY");
  for (const std::string_view word : {"DATABASE", "CATALOG", "FUNCTION", "SYSTEM", "MODEL"}) {
    if (NextIsWord(word)) Unsupported(Peek().span, fmt::format("CREATE {} is", word));
  }
  if (AcceptWord("TABLE")) {
    statement.node = ParseCreateTable(is_temporary);
  } else if (AcceptWord("VIEW")) {
    statement.node = ParseCreateView(is_temporary);
  } else {
    Unexpected("TABLE or VIEW", {"TABLE", "VIEW", "TEMPORARY"});
  }
  return statement;
}

ast::CreateTable Grammar::ParseCreateTable(bool is_temporary) {
  ast::CreateTable table{.is_temporary = is_temporary};
  table.if_not_exists = AcceptWords({"IF", "NOT", "EXISTS"});
  table.name = ExpectQualifiedName("a table's name");
  if (Accept("(")) {
    do {
      ParseTableElement(table);
      if (table.columns.size() > kColumnsMax) {
        Fail(PreviousSpan(), fmt::format("more than {} columns", kColumnsMax));
      }
    } while (Accept(","));
    if (!NextIs(")")) {
      Unexpected("\",\" or \")\" after this column", {"METADATA", "COMMENT", "PRIMARY", "NOT"});
    }
    Take();
  }
  if (AcceptWord("COMMENT")) ExpectString("a comment");
  if (NextIsWord("DISTRIBUTED")) Unsupported(Peek().span, "DISTRIBUTED BY is");
  if (AcceptWords({"PARTITIONED", "BY"})) table.partitioned_by = NameList("a column's name");
  if (AcceptWord("WITH")) table.options = ParseOptions();
  if (NextIsWord("LIKE")) {
    table.like = ParseTableLike();
  } else if (AcceptWord("AS")) {
    const bool has_types =
        std::any_of(table.columns.begin(), table.columns.end(), [](const auto& column) {
          return !column.computed && !column.metadata;
        });
    if (has_types) {
      Unsupported(PreviousSpan(),
                  "CREATE TABLE with columns … AS SELECT is",
                  "leave the columns to the query, or create the table, then INSERT INTO it");
    }
    table.query = ParseQuery();
  } else if (table.columns.empty()) {
    Unexpected("\"(\" and the table's columns");
  }
  return table;
}

// LIKE t [(INCLUDING | EXCLUDING | OVERWRITING what …)]
ast::TableLike Grammar::ParseTableLike() {
  using Take = ast::TableLike::Take;
  ExpectWord("LIKE");
  ast::TableLike like{.table = ExpectQualifiedName("a table's name")};
  if (!Accept("(")) return like;
  do {
    const bool is_overwriting = NextIsWord("OVERWRITING");
    const bool is_excluding = NextIsWord("EXCLUDING");
    if (!is_overwriting && !is_excluding && !NextIsWord("INCLUDING")) {
      Unexpected("INCLUDING, EXCLUDING or OVERWRITING", {"INCLUDING", "EXCLUDING", "OVERWRITING"});
    }
    Grammar::Take();
    const Take take = is_overwriting ? Take::kOverwriting
                      : is_excluding ? Take::kExcluding
                                     : Take::kIncluding;
    if (AcceptWord("ALL") && !is_overwriting) {
      for (Take* const what : {&like.constraints,
                               &like.generated,
                               &like.metadata,
                               &like.options,
                               &like.partitions,
                               &like.watermarks}) {
        *what = take;
      }
    } else if (AcceptWord("CONSTRAINTS")) {
      like.constraints = take;
    } else if (AcceptWord("GENERATED")) {
      like.generated = take;
    } else if (AcceptWord("METADATA")) {
      like.metadata = take;
    } else if (AcceptWord("OPTIONS")) {
      like.options = take;
    } else if (AcceptWord("PARTITIONS")) {
      like.partitions = take;
    } else if (AcceptWord("WATERMARKS")) {
      like.watermarks = take;
    } else if (!AcceptWord("DISTRIBUTION")) {
      Unexpected(
          "ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS, PARTITIONS or WATERMARKS",
          {"ALL", "CONSTRAINTS", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS"});
    }
  } while (!Accept(")"));
  return like;
}

// USE CATALOG default_catalog | USE [default_catalog.]default_database
ast::Use Grammar::ParseUse() {
  const Span start = ExpectWord("USE");
  const bool is_catalog = AcceptWord("CATALOG");
  const ast::QualifiedName name = ExpectQualifiedName("a name");
  const bool is_known = name.back().text == (is_catalog ? "default_catalog" : "default_database") &&
                        (name.size() == 1 || (!is_catalog && name.size() == 2 &&
                                              name.front().text == "default_catalog"));
  if (!is_known) {
    Unsupported(Join(start, PreviousSpan()),
                "USE of other catalogs and databases than default_catalog.default_database is");
  }
  return {};
}

void Grammar::ParseTableElement(ast::CreateTable& table) {
  if (NextIsWord("WATERMARK")) {
    ParseWatermark(table);
  } else if (NextAreWords({"PRIMARY", "KEY"}) || NextIsWord("CONSTRAINT")) {
    if (AcceptWord("CONSTRAINT")) ExpectName("the constraint's name");
    ParsePrimaryKey(table);
  } else if (NextIsWord("UNIQUE") || NextIsWord("FOREIGN")) {
    Unsupported(Peek().span, fmt::format("{} is", ToUpper(Peek().text)));
  } else {
    table.columns.push_back(ParseColumn(table));
  }
}

void Grammar::ParseWatermark(ast::CreateTable& table) {
  const Span at = ExpectWord("WATERMARK");
  if (table.watermark) Fail(at, "a table has one WATERMARK at most");
  ExpectWord("FOR");
  ast::WatermarkDefinition watermark;
  watermark.column = ExpectName("the column of the event time");
  if (NextIs(".")) Unsupported(Peek().span, "a WATERMARK on a field of a ROW is");
  ExpectWord("AS");
  watermark.value = ParseExpression();
  table.watermark = std::move(watermark);
}

void Grammar::ParsePrimaryKey(ast::CreateTable& table) {
  const Span at = Peek().span;
  ExpectWords({"PRIMARY", "KEY"});
  if (!table.primary_key.empty()) Fail(at, "a table has one PRIMARY KEY at most");
  table.primary_key = NameList("a column's name");
  if (!NextAreWords({"NOT", "ENFORCED"})) {
    Fail(Join(at, PreviousSpan()),
         "a PRIMARY KEY is declared, not enforced",
         "write PRIMARY KEY (…) NOT ENFORCED");
  }
  ExpectWords({"NOT", "ENFORCED"});
}

ast::ColumnDefinition Grammar::ParseColumn(ast::CreateTable& table) {
  ast::ColumnDefinition column{.name = ExpectName("a column's name")};
  if (AcceptWord("AS")) {
    column.computed = ParseExpression();
  } else {
    column.type = ParseType();
  }
  ParseColumnSuffixes(table, column);
  return column;
}

// [METADATA [FROM 'key'] [VIRTUAL]] [PRIMARY KEY NOT ENFORCED] [COMMENT 's']
void Grammar::ParseColumnSuffixes(ast::CreateTable& table, ast::ColumnDefinition& column) {
  if (!column.computed && AcceptWord("METADATA")) {
    column.metadata = AcceptWord("FROM") ? ExpectString("a metadata key") : column.name.text;
    column.is_virtual = AcceptWord("VIRTUAL");
  }
  if (NextAreWords({"PRIMARY", "KEY"})) {
    if (!table.primary_key.empty()) Fail(Peek().span, "a table has one PRIMARY KEY at most");
    ExpectWords({"PRIMARY", "KEY"});
    ExpectWords({"NOT", "ENFORCED"});
    table.primary_key.push_back(column.name);
  }
  if (AcceptWord("COMMENT")) ExpectString("a comment");
}

ast::CreateView Grammar::ParseCreateView(bool is_temporary) {
  ast::CreateView view{.is_temporary = is_temporary};
  view.if_not_exists = AcceptWords({"IF", "NOT", "EXISTS"});
  view.name = ExpectQualifiedName("a view's name");
  if (NextIs("(")) view.columns = NameList("a column's name");
  if (AcceptWord("COMMENT")) ExpectString("a comment");
  ExpectWord("AS");
  view.query = ParseQuery();
  return view;
}

ast::Drop Grammar::ParseDrop() {
  ExpectWord("DROP");
  ast::Drop drop;
  drop.is_temporary = AcceptWord("TEMPORARY");
  drop.is_view = AcceptWord("VIEW");
  if (!drop.is_view && !AcceptWord("TABLE")) Unexpected("TABLE or VIEW", {"TABLE", "VIEW"});
  drop.if_exists = AcceptWords({"IF", "EXISTS"});
  drop.name = ExpectQualifiedName("a name");
  return drop;
}

// SET ['key' = 'value']
ast::Statement Grammar::ParseSet() {
  ast::Statement statement;
  statement.at = ExpectWord("SET");
  if (NextIs(";") || Peek().kind == Token::Kind::kEnd) {
    statement.node = ast::ShowSettings{};
    return statement;
  }
  ast::Set set;
  const Span at = Peek().span;
  set.key = {ExpectString("SET 'key' = 'value': the key"), at};
  Expect("=");
  set.value = ExpectString("the value");
  statement.node = std::move(set);
  return statement;
}

// RESET ['key']
ast::Reset Grammar::ParseReset() {
  ExpectWord("RESET");
  if (NextIs(";") || Peek().kind == Token::Kind::kEnd) return {};
  const Span at = Peek().span;
  return {.key = ast::Name{ExpectString("RESET 'key': the key"), at}};
}

// SHOW TABLES | VIEWS | FUNCTIONS | COLUMNS FROM t | CREATE TABLE t | CREATE VIEW v | CATALOGS |
// DATABASES | CURRENT CATALOG | CURRENT DATABASE
ast::Statement Grammar::ParseShow() {
  ast::Statement statement;
  statement.at = ExpectWord("SHOW");
  if (AcceptWord("CREATE")) {
    const bool is_view = NextIsWord("VIEW");
    if (!AcceptWord("VIEW") && !AcceptWord("TABLE")) Unexpected("TABLE or VIEW", {"TABLE", "VIEW"});
    statement.node = ast::ShowCreate{ExpectQualifiedName("a name"), is_view};
    return statement;
  }
  if (AcceptWord("FUNCTIONS")) {
    statement.node = ast::ShowFunctions{};
    return statement;
  }
  if (AcceptWord("COLUMNS")) {
    if (!AcceptWord("FROM") && !AcceptWord("IN")) Unexpected("FROM", {"FROM", "IN"});
    statement.node = ast::Describe{ExpectQualifiedName("a table's name")};
    return statement;
  }
  const bool is_current = AcceptWord("CURRENT");
  if (AcceptWord(is_current ? "CATALOG" : "CATALOGS")) {
    statement.node = ast::ShowDefault{"default_catalog"};
    return statement;
  }
  if (AcceptWord(is_current ? "DATABASE" : "DATABASES")) {
    statement.node = ast::ShowDefault{"default_database"};
    return statement;
  }
  if (is_current) Unexpected("CATALOG or DATABASE", {"CATALOG", "DATABASE"});
  const bool views_only = NextIsWord("VIEWS");
  if (!AcceptWord("VIEWS") && !AcceptWord("TABLES")) {
    Unexpected("TABLES, VIEWS, FUNCTIONS, COLUMNS or CREATE TABLE",
               {"TABLES", "VIEWS", "FUNCTIONS", "COLUMNS", "CREATE", "CATALOGS", "DATABASES"});
  }
  statement.node = ast::ShowTables{views_only};
  return statement;
}

std::vector<ast::Option> Grammar::ParseOptions() {
  std::vector<ast::Option> options;
  Expect("(");
  do {
    const Span at = Peek().span;
    ast::Option option{.key = {ExpectString("an option's name"), at}};
    const bool is_repeated = std::any_of(options.begin(), options.end(), [&](const auto& other) {
      return other.key.text == option.key.text;
    });
    if (is_repeated) Fail(at, fmt::format("the option '{}' is given twice", option.key.text));
    Expect("=");
    option.value = ExpectString("the option's value");
    options.push_back(std::move(option));
  } while (Accept(","));
  Expect(")");
  return options;
}

std::vector<ast::Option> Grammar::ParseHints() {
  if (!Accept("/*+")) return {};
  if (!NextIsWord("OPTIONS")) {
    Unsupported(Peek().span, "hints but OPTIONS('key' = 'value') are");
  }
  Take();
  std::vector<ast::Option> options = ParseOptions();
  Expect("*/");
  return options;
}

ast::Insert Grammar::ParseInsert() {
  ExpectWord("INSERT");
  if (NextIsWord("OVERWRITE")) {
    Unsupported(Peek().span, "INSERT OVERWRITE is", "INSERT INTO adds rows");
  }
  ExpectWord("INTO");
  AcceptWord("TABLE");
  ast::Insert insert{.table = ExpectQualifiedName("a table's name")};
  insert.options = ParseHints();
  if (NextIsWord("PARTITION")) {
    Unsupported(
        Peek().span, "INSERT … PARTITION (…) is", "select the partition columns like the others");
  }
  if (NextIs("(") && !NextIsQuery()) insert.columns = NameList("a column's name");
  if (!NextIsQuery()) Unexpected("SELECT or VALUES", {"SELECT", "VALUES", "WITH"});
  insert.query = ParseQuery();
  return insert;
}

// [EXECUTE] STATEMENT SET BEGIN … END, or Flink's older BEGIN STATEMENT SET; … END.
ast::StatementSet Grammar::ParseStatementSet() {
  if (AcceptWord("BEGIN")) {
    ExpectWords({"STATEMENT", "SET"});
    Expect(";");
  } else {
    AcceptWord("EXECUTE");
    ExpectWords({"STATEMENT", "SET", "BEGIN"});
  }
  ast::StatementSet set;
  while (!AcceptWord("END")) {
    if (!NextIsWord("INSERT")) Unexpected("INSERT or END", {"INSERT", "END"});
    set.inserts.push_back(ParseInsert());
    Expect(";");
  }
  if (set.inserts.empty()) Fail(PreviousSpan(), "a STATEMENT SET needs an INSERT");
  return set;
}

ast::Explain Grammar::ParseExplain() {
  ExpectWord("EXPLAIN");
  AcceptWords({"PLAN", "FOR"});
  // What Flink adds to its plan is not in ours; the plan is.
  constexpr std::array kDetails = std::to_array<std::string_view>(
      {"ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"});
  while (std::any_of(kDetails.begin(), kDetails.end(), [this](std::string_view detail) {
    return NextIsWord(detail);
  })) {
    Take();
    Accept(",");
  }
  ast::Explain explain;
  if (NextIsWord("INSERT")) {
    explain.statement = ParseInsert();
  } else if (NextAreWords({"EXECUTE", "STATEMENT"}) || NextAreWords({"STATEMENT", "SET"})) {
    explain.statement = ParseStatementSet();
  } else if (NextIsQuery()) {
    explain.statement = ParseQuery();
  } else {
    Unexpected("SELECT or INSERT after EXPLAIN", {"SELECT", "INSERT", "PLAN", "WITH"});
  }
  return explain;
}

}  // namespace slipstream::sql
