#include <optional>
#include <string>
#include <utility>

#include "processor/sql/grammar.h"

// The functions of JSON that have words between their arguments. What the words say goes to the
// functions as literals (expr/json_functions.cpp, expr/json_construction.cpp).

namespace slipstream::sql {

ast::ExprPtr Grammar::ParseJsonCall(ast::Call call, const std::string& name) {
  if (name == "JSON_VALUE") return ParseJsonValue(std::move(call));
  if (name == "JSON_EXISTS") return ParseJsonExists(std::move(call));
  if (name == "JSON_QUERY") return ParseJsonQuery(std::move(call));
  if (name == "JSON_OBJECT") return ParseJsonObject(std::move(call));
  if (name == "JSON_ARRAY") return ParseJsonArray(std::move(call));
  if (name == "JSON_OBJECTAGG") return ParseJsonAggregate(std::move(call), true);
  if (name == "JSON_ARRAYAGG") return ParseJsonAggregate(std::move(call), false);
  return nullptr;
}

ast::ExprPtr Grammar::MakeWord(std::string word) {
  return Make(PreviousSpan(), ast::Literal{ast::Literal::Kind::kString, std::move(word)});
}

void Grammar::ParseJsonPath(ast::Call& call) {
  Expect("(");
  call.arguments.push_back({{}, ParseExpression()});
  Expect(",");
  call.arguments.push_back({{}, ParseExpression()});
}

bool Grammar::ParseOnEmpty() {
  ExpectWord("ON");
  if (AcceptWord("EMPTY")) return true;
  ExpectWord("ERROR");
  return false;
}

// JSON_VALUE(text, path [RETURNING type] [{NULL | ERROR | DEFAULT value} ON {EMPTY | ERROR}]…)
ast::ExprPtr Grammar::ParseJsonValue(ast::Call call) {
  const Span start = call.function.at;
  ParseJsonPath(call);
  std::optional<DataType> type;
  if (AcceptWord("RETURNING")) type = ParseType();
  struct Handling {
    std::string word = "NULL";
    ast::ExprPtr fallback;
  };
  Handling on_empty;
  Handling on_error;
  while (!NextIs(")")) {
    Handling handling;
    if (AcceptWord("DEFAULT")) {
      handling.word = "DEFAULT";
      handling.fallback = ParseExpression();
      auto* const literal = std::get_if<ast::Literal>(&handling.fallback->node);
      if (literal != nullptr && literal->kind == ast::Literal::Kind::kBoolean) {
        // As JSON writes it.
        handling.fallback = MakeWord(literal->text == "TRUE" ? "true" : "false");
      }
      handling.fallback =
          Make(start, ast::Cast{std::move(handling.fallback), DataType::String(), false});
    } else if (AcceptWord("ERROR")) {
      handling.word = "ERROR";
    } else if (!AcceptWord("NULL") && !(type && NextIsWord("ON"))) {
      // (A type takes the NULL behind it for its own.)
      Unexpected("NULL, ERROR or DEFAULT before ON EMPTY or ON ERROR",
                 {"NULL", "ERROR", "DEFAULT"});
    }
    (ParseOnEmpty() ? on_empty : on_error) = std::move(handling);
  }
  for (Handling* const handling : {&on_empty, &on_error}) {
    call.arguments.push_back({{}, MakeWord(handling->word)});
    if (!handling->fallback) handling->fallback = Make(PreviousSpan(), ast::Literal{});
    call.arguments.push_back({{}, std::move(handling->fallback)});
  }
  Expect(")");
  ast::ExprPtr value = Make(start, std::move(call));
  if (!type) return value;
  return Make(start, ast::Cast{std::move(value), *std::move(type), true});
}

// JSON_EXISTS(text, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])
ast::ExprPtr Grammar::ParseJsonExists(ast::Call call) {
  ParseJsonPath(call);
  for (const std::string_view word : {"TRUE", "FALSE", "UNKNOWN", "ERROR"}) {
    if (!NextIsWord(word)) continue;
    Take();
    call.arguments.push_back({{}, MakeWord(std::string(word))});
    ExpectWord("ON");
    ExpectWord("ERROR");
    break;
  }
  Expect(")");
  const Span start = call.function.at;
  return Make(start, std::move(call));
}

// JSON_QUERY(text, path [RETURNING STRING | ARRAY<STRING>]
//            [{WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL]} [ARRAY] WRAPPER]
//            [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON {EMPTY | ERROR}]…)
ast::ExprPtr Grammar::ParseJsonQuery(ast::Call call) {
  const Span start = call.function.at;
  ParseJsonPath(call);
  if (AcceptWord("RETURNING")) {
    const Span at = Peek().span;
    const DataType type = ParseType();
    if (type.kind == TypeKind::kArray && type.children->front().type.is_string()) {
      call.function.text = "JSON_QUERY ARRAY";
    } else if (!type.is_string()) {
      Fail(at, "JSON_QUERY returns STRING or ARRAY<STRING>");
    }
  }
  std::string wrapper = "WITHOUT";
  if (NextIsWord("WITHOUT") || NextIsWord("WITH")) {
    if (!AcceptWord("WITHOUT")) {
      ExpectWord("WITH");
      wrapper = AcceptWord("CONDITIONAL") ? "CONDITIONAL" : "UNCONDITIONAL";
      if (wrapper == "UNCONDITIONAL") AcceptWord("UNCONDITIONAL");
    }
    AcceptWord("ARRAY");
    ExpectWord("WRAPPER");
  }
  std::string on_empty = "NULL";
  std::string on_error = "NULL";
  while (!NextIs(")")) {
    std::string handling = "NULL";
    if (AcceptWords({"EMPTY", "ARRAY"})) {
      handling = "EMPTY ARRAY";
    } else if (AcceptWords({"EMPTY", "OBJECT"})) {
      handling = "EMPTY OBJECT";
    } else if (AcceptWord("ERROR")) {
      handling = "ERROR";
    } else if (!AcceptWord("NULL")) {
      Unexpected("NULL, EMPTY ARRAY, EMPTY OBJECT or ERROR before ON EMPTY or ON ERROR",
                 {"NULL", "EMPTY", "ERROR"});
    }
    (ParseOnEmpty() ? on_empty : on_error) = std::move(handling);
  }
  for (std::string* const word : {&wrapper, &on_empty, &on_error})
    call.arguments.push_back({{}, MakeWord(std::move(*word))});
  Expect(")");
  return Make(start, std::move(call));
}

bool Grammar::NextIsOnNull() const {
  return NextAreWords({"NULL", "ON"}) || NextAreWords({"ABSENT", "ON"});
}

bool Grammar::ParseOnNull(bool otherwise) {
  if (AcceptWords({"NULL", "ON", "NULL"})) return true;
  if (AcceptWords({"ABSENT", "ON", "NULL"})) return false;
  return otherwise;
}

void Grammar::ParseJsonMember(ast::Call& call) {
  // KEY is a word before a key, and else may be a column's name.
  if (NextIsWord("KEY") && !Peek(1).IsWord("VALUE") && Peek(1).kind != Token::Kind::kSymbol) Take();
  call.arguments.push_back({{}, ParseExpression()});
  ExpectWord("VALUE");
  call.arguments.push_back({{}, ParseExpression()});
}

// JSON_OBJECT([[KEY] key VALUE value, …] [{NULL | ABSENT} ON NULL])
ast::ExprPtr Grammar::ParseJsonObject(ast::Call call) {
  Expect("(");
  call.arguments.emplace_back();
  if (!NextIs(")") && !NextIsOnNull()) {
    do {
      ParseJsonMember(call);
    } while (Accept(","));
  }
  call.arguments.front().value = MakeWord(ParseOnNull(true) ? "NULL" : "ABSENT");
  Expect(")");
  const Span start = call.function.at;
  return Make(start, std::move(call));
}

// JSON_ARRAY([value, …] [{NULL | ABSENT} ON NULL])
ast::ExprPtr Grammar::ParseJsonArray(ast::Call call) {
  Expect("(");
  call.arguments.emplace_back();
  if (!NextIs(")") && !NextIsOnNull()) {
    do {
      call.arguments.push_back({{}, ParseExpression()});
    } while (Accept(","));
  }
  call.arguments.front().value = MakeWord(ParseOnNull(false) ? "NULL" : "ABSENT");
  Expect(")");
  const Span start = call.function.at;
  return Make(start, std::move(call));
}

// JSON_OBJECTAGG([KEY] key VALUE value [… ON NULL]), JSON_ARRAYAGG(value [… ON NULL])
ast::ExprPtr Grammar::ParseJsonAggregate(ast::Call call, bool is_object) {
  Expect("(");
  if (is_object) {
    ParseJsonMember(call);
  } else {
    call.is_distinct = AcceptWord("DISTINCT");
    call.arguments.push_back({{}, ParseExpression()});
  }
  call.function.text = is_object ? "JSON_OBJECTAGG" : "JSON_ARRAYAGG";
  call.function.text += ParseOnNull(is_object) ? " NULL" : " ABSENT";
  Expect(")");
  ParseCallSuffixes(call);
  const Span start = call.function.at;
  return Make(start, std::move(call));
}

}  // namespace slipstream::sql
