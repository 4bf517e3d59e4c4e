#include <fmt/format.h>

#include "processor/sql/grammar.h"
#include "processor/sql/nearest_name.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {

// ROW(a, …), ARRAY[a, …], MAP[k, v, …]
ast::ExprPtr Grammar::ParseConstructor(ast::Constructor::Kind kind) {
  const Span start = Take().span;
  const bool is_row = kind == ast::Constructor::Kind::kRow;
  Expect(is_row ? "(" : "[");
  std::vector<ast::ExprPtr> items;
  if (!NextIs(is_row ? ")" : "]")) items = ParseExpressionList();
  Expect(is_row ? ")" : "]");
  if (kind == ast::Constructor::Kind::kMap && items.size() % 2 != 0) {
    Fail(start, "MAP[key, value, …] takes its items in pairs");
  }
  return Make(start, ast::Constructor{kind, std::move(items)});
}

// a, a.b, a.*, f(…). LEFT and RIGHT are functions too, though reserved.
ast::ExprPtr Grammar::ParseNameOrCall() {
  const Token& token = Peek();
  const bool is_call = Peek(1).IsSymbol("(");
  const bool is_function_keyword = token.IsWord("LEFT") || token.IsWord("RIGHT");
  if (is_call && (NextIsName() || is_function_keyword)) {
    Take();
    return ParseCall({token.text, token.span});
  }
  ast::QualifiedName parts{ExpectName("an expression")};
  while (NextIs(".")) {
    Take();
    if (Accept("*")) return Make(token.span, ast::Star{std::move(parts)});
    parts.push_back(ExpectName("a column's name or *"));
  }
  if (NextIs("(")) {
    Unsupported(token.span, "functions of a catalog are", "functions go by their name alone");
  }
  return Make(token.span, ast::ColumnRef{std::move(parts)});
}

ast::ExprPtr Grammar::ParseCall(ast::Name function) {
  if (ast::ExprPtr special = ParseSpecialCall(function)) return special;
  const Span start = function.at;
  ast::Call call{.function = std::move(function)};
  ParseArguments(call);
  ParseCallSuffixes(call);
  return Make(start, std::move(call));
}

void Grammar::ParseArguments(ast::Call& call) {
  Expect("(");
  if (NextIs("*") && Peek(1).IsSymbol(")")) {
    Take();
    call.is_star = true;
  } else if (!NextIs(")")) {
    call.is_distinct = AcceptWord("DISTINCT");
    if (!call.is_distinct) AcceptWord("ALL");
    do {
      call.arguments.push_back(ParseArgument());
    } while (Accept(","));
  }
  TakeNullTreatment(call);
  if (NextAreWords({"RETURNING"}) || NextAreWords({"ORDER", "BY"})) {
    Unsupported(Peek().span,
                fmt::format("{} inside a function's parentheses is", ToUpper(Peek().text)));
  }
  Expect(")");
}

// [name =>] value, where a value can also be TABLE t, a query, DESCRIPTOR(c) or a unit of time.
ast::Argument Grammar::ParseArgument() {
  ast::Argument argument;
  const Token& token = Peek();
  // NAME => also where the name is a keyword elsewhere: OFFSET => INTERVAL '1' HOUR.
  const bool is_name = token.kind == Token::Kind::kWord || token.kind == Token::Kind::kQuotedName;
  if (is_name && Peek(1).IsSymbol("=>")) {
    argument.name = ast::Name{token.text, token.span};
    Take();
    Take();
  }
  const Span start = Peek().span;
  if (NextIsWord("TABLE") || (NextIs("(") && NextIsQuery(1))) {
    const Nesting nesting(*this);
    ast::TableArgument table;
    if (AcceptWord("TABLE")) {
      table.table = ExpectQualifiedName("a table's name");
    } else {
      table.query = std::get<ast::ScalarQuery>(ParseExpressionQuery()->node).query;
    }
    if (AcceptWords({"PARTITION", "BY"})) {
      const bool is_parenthesized = Accept("(");
      do {
        table.partition_by.push_back(ParseExpression());
        // A comma may as well go on with the next argument, which no column's name begins.
      } while (NextIs(",") && !Peek(1).IsWord("DESCRIPTOR") && !Peek(2).IsSymbol("=>") &&
               Accept(","));
      if (is_parenthesized) Expect(")");
    }
    argument.value = Make(start, std::move(table));
  } else if (NextIsWord("DESCRIPTOR") && Peek(1).IsSymbol("(")) {
    Take();
    argument.value = Make(start, ast::Descriptor{NameList("a column's name")});
  } else {
    argument.value = ParseExpression();
  }
  return argument;
}

// [IGNORE NULLS | RESPECT NULLS], behind the last argument or the parentheses.
void Grammar::TakeNullTreatment(ast::Call& call) {
  if (!NextAreWords({"IGNORE", "NULLS"}) && !NextAreWords({"RESPECT", "NULLS"})) return;
  if (!EqualsIgnoreCase(call.function.text, "ARRAY_AGG")) {
    Unsupported(Peek().span, fmt::format("{} NULLS is", ToUpper(Peek().text)));
  }
  if (NextIsWord("IGNORE")) call.function.text += " IGNORE NULLS";
  Take();
  Take();
}

void Grammar::ParseCallSuffixes(ast::Call& call) {
  if (NextAreWords({"WITHIN", "GROUP"})) Unsupported(Peek().span, "WITHIN GROUP is");
  TakeNullTreatment(call);
  if (NextIsWord("FILTER") && Peek(1).IsSymbol("(")) {
    Take();
    Expect("(");
    ExpectWord("WHERE");
    call.filter = ParseExpression();
    Expect(")");
  }
  if (!AcceptWord("OVER")) return;
  if (NextIs("(")) {
    call.over = std::make_unique<ast::WindowDefinition>(ParseWindow());
  } else {
    call.over = std::make_unique<ast::WindowDefinition>();
    call.over->name = ExpectName("a window's name");
  }
}

ast::ExprPtr Grammar::ParseSpecialCall(const ast::Name& function) {
  const std::string name = ToUpper(function.text);
  ast::Call call{.function = function};
  const auto add = [&](ast::ExprPtr value) { call.arguments.push_back({{}, std::move(value)}); };
  const auto add_unit = [&] {
    const Span start = Peek().span;
    std::string unit = ParseUnit();
    add(Make(start, ast::TimeUnit{std::move(unit)}));
  };
  const auto finish = [&] {
    Expect(")");
    return Make(function.at, std::move(call));
  };
  if (name == "EXTRACT") {  // (unit FROM value), as (value, unit)
    Expect("(");
    add_unit();
    ExpectWord("FROM");
    add(ParseExpression());
    std::swap(call.arguments[0], call.arguments[1]);
    return finish();
  }
  if (name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF") {
    Expect("(");
    add_unit();
    while (Accept(","))
      add(ParseExpression());
    return finish();
  }
  if (name == "FLOOR" || name == "CEIL" || name == "CEILING") {  // (value [TO unit])
    Expect("(");
    add(ParseExpression());
    if (AcceptWord("TO")) add_unit();
    return finish();
  }
  if (name == "SUBSTRING") {  // (text FROM start [FOR length]), or with commas
    Expect("(");
    add(ParseExpression());
    const bool has_words = AcceptWord("FROM");
    if (!has_words) Expect(",");
    add(ParseExpression());
    if (has_words ? AcceptWord("FOR") : Accept(",")) add(ParseExpression());
    return finish();
  }
  if (name == "POSITION") {  // (part IN text)
    Expect("(");
    add(ParseUnary());
    ExpectWord("IN");
    add(ParseExpression());
    return finish();
  }
  if (name == "OVERLAY") {  // (text PLACING part FROM start [FOR length]), or with commas
    Expect("(");
    add(ParseExpression());
    const bool has_words = AcceptWord("PLACING");
    if (!has_words) Expect(",");
    add(ParseExpression());
    if (has_words) {
      ExpectWord("FROM");
    } else {
      Expect(",");
    }
    add(ParseExpression());
    if (has_words ? AcceptWord("FOR") : Accept(",")) add(ParseExpression());
    return finish();
  }
  if (name.starts_with("JSON_")) return ParseJsonCall(std::move(call), name);
  if (name == "TRIM") return ParseTrim(std::move(call));
  return nullptr;
}

// TRIM([BOTH | LEADING | TRAILING] [characters FROM] text): TRIM, LTRIM or RTRIM of (text
// [, characters]).
ast::ExprPtr Grammar::ParseTrim(ast::Call call) {
  const Span start = call.function.at;
  Expect("(");
  if (AcceptWord("LEADING")) {
    call.function.text = "LTRIM";
  } else if (AcceptWord("TRAILING")) {
    call.function.text = "RTRIM";
  } else {
    AcceptWord("BOTH");
  }
  if (AcceptWord("FROM")) {
    call.arguments.push_back({{}, ParseExpression()});
  } else {
    ast::ExprPtr first = ParseExpression();
    if (AcceptWord("FROM")) call.arguments.push_back({{}, ParseExpression()});
    call.arguments.push_back({{}, std::move(first)});
  }
  Expect(")");
  return Make(start, std::move(call));
}

}  // namespace slipstream::sql
