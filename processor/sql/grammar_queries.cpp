#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "processor/sql/grammar.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {

bool Grammar::NextIsQuery(size_t ahead) const {
  while (Peek(ahead).IsSymbol("("))
    ++ahead;
  return NextIsWord("SELECT", ahead) || NextIsWord("VALUES", ahead) || NextIsWord("WITH", ahead) ||
         NextIsWholeTable(ahead);
}

// TABLE t; not TABLE(f(…)).
bool Grammar::NextIsWholeTable(size_t ahead) const {
  const Token::Kind next = Peek(ahead + 1).kind;
  return NextIsWord("TABLE", ahead) &&
         (next == Token::Kind::kWord || next == Token::Kind::kQuotedName);
}

ast::QueryPtr Grammar::ParseQuery() {
  const Nesting nesting(*this);
  auto query = std::make_shared<ast::Query>();
  query->at = Peek().span;
  if (AcceptWord("WITH")) ParseCommonTables(*query);
  ParseTerms(*query);
  if (AcceptWords({"ORDER", "BY"})) query->order_by = ParseOrderBy();
  ParseLimits(*query);
  query->at = Join(query->at, PreviousSpan());
  return query;
}

void Grammar::ParseCommonTables(ast::Query& query) {
  do {
    ast::CommonTable table{.name = ExpectName("a name")};
    if (NextIs("(")) table.columns = NameList("a column's name");
    ExpectWord("AS");
    Expect("(");
    table.query = ParseQuery();
    Expect(")");
    query.common_tables.push_back(std::move(table));
  } while (Accept(","));
}

void Grammar::ParseTerms(ast::Query& query) {
  using Operator = ast::QueryTerm::Operator;
  const auto choose = [this](Operator all, Operator distinct) {
    if (AcceptWord("ALL")) return all;
    AcceptWord("DISTINCT");
    return distinct;
  };
  query.terms.push_back(ParseTerm());
  while (true) {
    const Span at = Peek().span;
    Operator op = Operator::kFirst;
    if (AcceptWord("UNION")) {
      op = choose(Operator::kUnionAll, Operator::kUnion);
    } else if (AcceptWord("INTERSECT")) {
      op = choose(Operator::kIntersectAll, Operator::kIntersect);
    } else if (AcceptWord("EXCEPT") || AcceptWord("MINUS")) {
      op = choose(Operator::kExceptAll, Operator::kExcept);
    } else {
      return;
    }
    query.terms.push_back(ParseTerm());
    query.terms.back().op = op;
    query.terms.back().op_at = at;
  }
}

void Grammar::ParseLimits(ast::Query& query) {
  const Span start = Peek().span;
  if (AcceptWord("LIMIT")) {
    query.limit_at = start;
    if (!AcceptWord("ALL")) query.limit = ExpectCount("a number of rows");
  }
  if (AcceptWord("OFFSET")) {
    query.limit_at = start;
    query.offset = ExpectCount("a number of rows");
    if (!AcceptWord("ROWS")) AcceptWord("ROW");
  }
  if (!query.limit && AcceptWord("FETCH")) {
    query.limit_at = start;
    if (!AcceptWord("FIRST")) ExpectWord("NEXT");
    const bool has_count = Peek().kind == Token::Kind::kNumber;
    query.limit = has_count ? ExpectCount("a number of rows") : 1;
    if (!AcceptWord("ROWS")) ExpectWord("ROW");
    ExpectWord("ONLY");
  }
}

ast::QueryTerm Grammar::ParseTerm() {
  ast::QueryTerm term;
  if (Accept("(")) {
    term.body = ParseQuery();
    Expect(")");
  } else if (NextIsWord("VALUES")) {
    term.body = ParseValues();
  } else if (NextIsWord("SELECT")) {
    term.body = ParseSelect();
  } else if (NextIsWholeTable()) {
    term.body = ParseWholeTable();
  } else {
    Unexpected("SELECT or VALUES", {"SELECT", "VALUES"});
  }
  return term;
}

// TABLE t stands for SELECT * FROM t.
ast::Select Grammar::ParseWholeTable() {
  ast::Select select;
  select.at = ExpectWord("TABLE");
  const Span start = Peek().span;
  auto table = std::make_unique<ast::TableRef>();
  table->node = ast::NamedTable{.name = ExpectQualifiedName("a table's name")};
  table->at = Join(start, PreviousSpan());
  auto star = std::make_unique<ast::Expr>();
  star->node = ast::Star{};
  star->at = select.at;
  select.items.push_back({.value = std::move(star)});
  select.from = std::move(table);
  select.at = Join(select.at, PreviousSpan());
  return select;
}

ast::Values Grammar::ParseValues() {
  ast::Values values;
  values.at = ExpectWord("VALUES");
  do {
    const Span at = Peek().span;
    std::vector<ast::ExprPtr> row;
    AcceptWord("ROW");
    if (Accept("(")) {
      row = ParseExpressionList();
      Expect(")");
    } else {
      row.push_back(ParseExpression());
    }
    if (!values.rows.empty() && values.rows.front().size() != row.size()) {
      Fail(at,
           fmt::format(
               "this row has {} values, the first has {}", row.size(), values.rows.front().size()));
    }
    values.rows.push_back(std::move(row));
  } while (Accept(","));
  values.at = Join(values.at, PreviousSpan());
  return values;
}

ast::Select Grammar::ParseSelect() {
  ast::Select select;
  select.at = ExpectWord("SELECT");
  select.state_ttls = ParseSelectHints();
  select.is_distinct = AcceptWord("DISTINCT");
  if (!select.is_distinct) AcceptWord("ALL");
  do {
    select.items.push_back(ParseSelectItem());
  } while (Accept(","));
  if (AcceptWord("FROM")) select.from = ParseFrom();
  if (AcceptWord("WHERE")) select.where = ParseExpression();
  if (AcceptWords({"GROUP", "BY"})) ParseGroupBy(select);
  if (AcceptWord("HAVING")) select.having = ParseExpression();
  if (AcceptWord("WINDOW")) {
    do {
      const ast::Name name = ExpectName("a window's name");
      ExpectWord("AS");
      select.windows.push_back(ParseWindow());
      select.windows.back().name = name;
    } while (Accept(","));
  }
  if (AcceptWord("QUALIFY")) select.qualify = ParseExpression();
  return select;
}

// Hints that say how to join, which is decided here without them, are passed over.
std::vector<ast::Option> Grammar::ParseSelectHints() {
  std::vector<ast::Option> state_ttls;
  if (!Accept("/*+")) return state_ttls;
  do {
    const ast::Name hint = ExpectName("a hint's name");
    if (ToUpper(hint.text) == "STATE_TTL") {
      state_ttls = ParseOptions();
      continue;
    }
    constexpr std::array<std::string_view, 6> kPassedOver = {
        "BROADCAST", "LOOKUP", "MULTI_JOIN", "NEST_LOOP", "SHUFFLE_HASH", "SHUFFLE_MERGE"};
    if (std::find(kPassedOver.begin(), kPassedOver.end(), ToUpper(hint.text)) ==
        kPassedOver.end()) {
      Unsupported(hint.at, fmt::format("the hint {} is", hint.text));
    }
    Expect("(");
    do {
      if (Peek().kind == Token::Kind::kString) {
        Take();
        Expect("=");
        ExpectString("the option's value");
      } else {
        ExpectQualifiedName("a table's name");
      }
    } while (Accept(","));
    Expect(")");
  } while (Accept(","));
  Expect("*/");
  return state_ttls;
}

ast::SelectItem Grammar::ParseSelectItem() {
  ast::SelectItem item;
  if (NextIsWord("FROM")) Fail(Peek().span, "expected a column before FROM");
  item.value = ParseExpression();
  if (AcceptWord("AS")) {
    item.alias = ExpectName("an alias after AS");
  } else if (NextIsName()) {
    item.alias = ExpectName("an alias");
  }
  return item;
}

// ---- FROM ----

ast::TableRefPtr Grammar::ParseFrom() {
  ast::TableRefPtr table = ParseJoins();
  size_t height = 0;
  while (Accept(",")) {
    if (++height > 100) Fail(PreviousSpan(), "more than 100 tables in one FROM");
    ast::TableRefPtr right = ParseJoins();
    auto join = std::make_unique<ast::TableRef>();
    join->at = Join(table->at, right->at);
    join->node = ast::Join{
        .kind = ast::Join::Kind::kCross, .left = std::move(table), .right = std::move(right)};
    table = std::move(join);
  }
  return table;
}

ast::TableRefPtr Grammar::ParseJoins() {
  using Kind = ast::Join::Kind;
  ast::TableRefPtr left = ParseTablePrimary();
  size_t height = 0;
  while (true) {
    ast::Join join;
    const bool is_natural = AcceptWord("NATURAL");
    if (AcceptWords({"CROSS", "JOIN"})) {
      join.kind = Kind::kCross;
    } else if (NextIsWord("LEFT") || NextIsWord("RIGHT") || NextIsWord("FULL")) {
      const Token& kind = Take();
      join.kind = kind.IsWord("LEFT")    ? Kind::kLeft
                  : kind.IsWord("RIGHT") ? Kind::kRight
                                         : Kind::kFull;
      AcceptWord("OUTER");
      ExpectWord("JOIN");
    } else if (AcceptWords({"INNER", "JOIN"}) || AcceptWord("JOIN")) {
      join.kind = Kind::kInner;
    } else if (is_natural) {
      Unexpected("JOIN", {"JOIN"});
    } else {
      return left;
    }
    if (++height > 100) Fail(PreviousSpan(), "more than 100 tables in one FROM");
    join.is_natural = is_natural;
    join.left = std::move(left);
    join.right = ParseTablePrimary();
    if (AcceptWord("ON")) {
      join.condition = ParseExpression();
    } else if (AcceptWord("USING")) {
      join.using_columns = NameList("a column's name");
    }
    left = std::make_unique<ast::TableRef>();
    left->at = Join(join.left->at, PreviousSpan());
    left->node = std::move(join);
  }
}

ast::TableRefPtr Grammar::ParseTablePrimary() {
  const Nesting nesting(*this);
  if (NextIs("(")) return ParseParenthesizedTable();
  auto table = std::make_unique<ast::TableRef>();
  table->at = Peek().span;
  const bool is_lateral = AcceptWord("LATERAL");
  if (AcceptWord("TABLE")) {  // TABLE(f(…))
    Expect("(");
    ast::TableFunction function{.is_lateral = is_lateral};
    function.call.function = ExpectName("a table function");
    ParseArguments(function.call);
    table->node = std::move(function);
    Expect(")");
  } else if (is_lateral) {
    table = ParseParenthesizedTable();
    auto* const derived = std::get_if<ast::DerivedTable>(&table->node);
    if (derived == nullptr) Fail(table->at, "LATERAL stands before TABLE(…) or a query");
    derived->is_lateral = true;
    return table;
  } else if (NextIsWord("UNNEST")) {
    Take();
    Expect("(");
    ast::Unnest unnest{.value = ParseExpression()};
    Expect(")");
    unnest.has_ordinality = AcceptWords({"WITH", "ORDINALITY"});
    table->node = std::move(unnest);
  } else if (NextIsName() && Peek(1).IsSymbol("(")) {  // f(…)
    ast::TableFunction function;
    function.call.function = ExpectName("a table function");
    ParseArguments(function.call);
    table->node = std::move(function);
  } else {
    ast::NamedTable named{.name = ExpectQualifiedName("a table's name")};
    named.options = ParseHints();
    if (AcceptWords({"FOR", "SYSTEM_TIME", "AS", "OF"})) named.as_of = ParseExpression();
    table->node = std::move(named);
  }
  table->at = Join(table->at, PreviousSpan());
  for (const char* const what : {"MATCH_RECOGNIZE", "TABLESAMPLE", "PIVOT", "UNPIVOT"}) {
    if (NextIsWord(what)) Unsupported(Peek().span, std::string(what) + " is");
  }
  ParseTableAlias(*table);
  return table;
}

ast::TableRefPtr Grammar::ParseParenthesizedTable() {
  const Span start = Peek().span;
  if (!NextIsQuery()) {  // (a JOIN b ON …)
    Expect("(");
    ast::TableRefPtr inner = ParseFrom();
    Expect(")");
    return inner;
  }
  Expect("(");
  auto table = std::make_unique<ast::TableRef>();
  table->node = ast::DerivedTable{ParseQuery()};
  Expect(")");
  table->at = Join(start, PreviousSpan());
  ParseTableAlias(*table);
  return table;
}

void Grammar::ParseTableAlias(ast::TableRef& table) {
  const bool has_as = AcceptWord("AS");
  if (!has_as && !NextIsName()) return;
  table.alias = ExpectName("an alias");
  if (NextIs("(")) table.columns = NameList("a column's name");
}

// ---- ORDER BY, OVER ----

std::vector<ast::OrderItem> Grammar::ParseOrderBy() {
  std::vector<ast::OrderItem> items;
  do {
    ast::OrderItem item{.value = ParseExpression()};
    item.is_descending = AcceptWord("DESC");
    if (!item.is_descending) AcceptWord("ASC");
    if (AcceptWord("NULLS")) {
      item.nulls_first = AcceptWord("FIRST");
      if (!*item.nulls_first) ExpectWord("LAST");
    }
    items.push_back(std::move(item));
  } while (Accept(","));
  return items;
}

ast::WindowDefinition Grammar::ParseWindow() {
  ast::WindowDefinition window;
  Expect("(");
  if (NextIsName() && !NextAreWords({"PARTITION", "BY"}) && !NextIsWord("ROWS") &&
      !NextIsWord("RANGE")) {
    window.name = ExpectName("a window's name");
  }
  if (AcceptWords({"PARTITION", "BY"})) window.partition_by = ParseExpressionList();
  if (AcceptWords({"ORDER", "BY"})) window.order_by = ParseOrderBy();
  if (NextIsWord("ROWS") || NextIsWord("RANGE")) ParseFrame(window);
  Expect(")");
  return window;
}

void Grammar::ParseFrame(ast::WindowDefinition& window) {
  using Frame = ast::WindowDefinition::Frame;
  window.frame = Take().IsWord("ROWS") ? Frame::kRows : Frame::kRange;
  if (AcceptWord("BETWEEN")) {
    window.frame_start = ParseFrameBound();
    ExpectWord("AND");
    window.frame_end = ParseFrameBound();
  } else {
    window.frame_start = ParseFrameBound();
  }
}

ast::FrameBound Grammar::ParseFrameBound() {
  using Kind = ast::FrameBound::Kind;
  if (AcceptWords({"CURRENT", "ROW"})) return {Kind::kCurrentRow, nullptr};
  if (AcceptWords({"UNBOUNDED", "PRECEDING"})) return {Kind::kUnboundedPreceding, nullptr};
  if (AcceptWords({"UNBOUNDED", "FOLLOWING"})) return {Kind::kUnboundedFollowing, nullptr};
  ast::ExprPtr distance = ParseExpression();
  if (AcceptWord("PRECEDING")) return {Kind::kPreceding, std::move(distance)};
  if (AcceptWord("FOLLOWING")) return {Kind::kFollowing, std::move(distance)};
  Unexpected("PRECEDING or FOLLOWING", {"PRECEDING", "FOLLOWING"});
}

}  // namespace slipstream::sql
