#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "processor/sql/ast_children.h"
#include "processor/sql/grammar.h"
#include "processor/sql/nearest_name.h"
#include "processor/sql/parser.h"

namespace slipstream::sql {
namespace {

// How tightly operators bind, as in Flink; greater is tighter.
enum Precedence : int {
  kOr = 1,
  kAnd,
  kNot,
  kIs,
  kComparison,
  kPredicate,  // IN, BETWEEN, LIKE
  kSum,
  kProduct,  // and ||
};

struct BinaryOperator {
  std::string_view token;
  std::string_view op;  // as the function registry names it
  int precedence;
};

constexpr std::array kBinaryOperators = std::to_array<BinaryOperator>({
    {"OR", "OR", kOr},
    {"AND", "AND", kAnd},
    {"=", "=", kComparison},
    {"<>", "<>", kComparison},
    {"!=", "<>", kComparison},
    {"<=", "<=", kComparison},
    {">=", ">=", kComparison},
    {"<", "<", kComparison},
    {">", ">", kComparison},
    {"+", "+", kSum},
    {"-", "-", kSum},
    {"*", "*", kProduct},
    {"/", "/", kProduct},
    {"%", "%", kProduct},
    {"||", "||", kProduct},
});

const BinaryOperator* FindOperator(const Token& token) {
  const auto* const found =
      std::find_if(kBinaryOperators.begin(), kBinaryOperators.end(), [&](const auto& candidate) {
        return token.IsSymbol(candidate.token) || token.IsWord(candidate.token);
      });
  return found == kBinaryOperators.end() ? nullptr : found;
}

}  // namespace

ast::ExprPtr Grammar::Make(Span start, ast::Expr::Node node) {
  auto expr = std::make_unique<ast::Expr>();
  expr->at = Join(start, PreviousSpan());
  expr->node = std::move(node);
  std::visit(ast::ChildVisitor([&](const ast::Expr& child) {
               expr->height = std::max(expr->height, child.height + 1);
             }),
             expr->node);
  if (expr->height > kExpressionHeightMax) {
    Fail(expr->at,
         fmt::format("more than {} operators in a row", kExpressionHeightMax),
         "put parts of it in parentheses, or use IN");
  }
  return expr;
}

ast::ExprPtr Grammar::ParseExpression() {
  const Nesting nesting(*this);
  return ParseBinary(0);
}

std::vector<ast::ExprPtr> Grammar::ParseExpressionList() {
  std::vector<ast::ExprPtr> list;
  do {
    list.push_back(ParseExpression());
  } while (Accept(","));
  return list;
}

ast::ExprPtr Grammar::ParseBinary(int precedence_min) {
  ast::ExprPtr left = ParseUnary();
  while (true) {
    const Token& token = Peek();
    if (const BinaryOperator* const found = FindOperator(token)) {
      if (found->precedence < precedence_min) return left;
      Take();
      const bool is_quantified = NextIsWord("ANY") || NextIsWord("SOME") || NextIsWord("ALL");
      if (found->precedence == kComparison && is_quantified && Peek(1).IsSymbol("(")) {
        left = ParseQuantified(std::move(left), found->op);
        continue;
      }
      ast::ExprPtr right = ParseBinary(found->precedence + 1);
      const Span start = left->at;
      left = Make(start, ast::Binary{std::string(found->op), std::move(left), std::move(right)});
      continue;
    }
    if (token.IsWord("IS") && kIs >= precedence_min) {
      left = ParseIs(std::move(left));
      continue;
    }
    if (token.IsWord("OVERLAPS") && kPredicate >= precedence_min) {
      left = ParseOverlaps(std::move(left));
      continue;
    }
    const bool is_negated = token.IsWord("NOT");
    const size_t ahead = is_negated ? 1 : 0;
    const bool is_predicate = NextIsWord("IN", ahead) || NextIsWord("BETWEEN", ahead) ||
                              NextIsWord("LIKE", ahead) || NextIsWord("SIMILAR", ahead);
    if (!is_predicate || kPredicate < precedence_min) return left;
    if (is_negated) Take();
    left = ParsePredicate(std::move(left), is_negated);
  }
}

ast::ExprPtr Grammar::ParseUnary() {
  const Span start = Peek().span;
  if (AcceptWord("NOT")) {
    const Nesting nesting(*this);
    return Make(start, ast::Unary{"NOT", ParseBinary(kNot)});
  }
  if (Accept("-")) {
    const Nesting nesting(*this);
    return Make(start, ast::Unary{"NEGATE", ParseUnary()});
  }
  if (Accept("+")) {
    const Nesting nesting(*this);
    return ParseUnary();
  }
  return ParsePostfix();
}

// (begin, end) OVERLAPS (begin, end), as a function of the four.
ast::ExprPtr Grammar::ParseOverlaps(ast::ExprPtr left) {
  const Span start = left->at;
  ast::Call call{.function = {"OVERLAPS", Take().span}};
  ast::ExprPtr right = ParseBinary(kSum);
  for (ast::ExprPtr* const side : {&left, &right}) {
    auto* const period = std::get_if<ast::Constructor>(&(*side)->node);
    if (period == nullptr || period->kind != ast::Constructor::Kind::kRow ||
        period->items.size() != 2) {
      Fail((*side)->at, "OVERLAPS stands between periods: (begin, end) or (begin, INTERVAL …)");
    }
    for (ast::ExprPtr& item : period->items)
      call.arguments.push_back({{}, std::move(item)});
  }
  return Make(start, std::move(call));
}

// left IS [NOT] NULL | TRUE | FALSE | UNKNOWN | JSON [kind] | DISTINCT FROM right
ast::ExprPtr Grammar::ParseIs(ast::ExprPtr left) {
  const Span start = left->at;
  ExpectWord("IS");
  const std::string is = AcceptWord("NOT") ? "IS NOT " : "IS ";
  if (AcceptWords({"DISTINCT", "FROM"})) {
    ast::ExprPtr right = ParseBinary(kIs + 1);
    return Make(start, ast::Binary{is + "DISTINCT FROM", std::move(left), std::move(right)});
  }
  for (const std::string_view test : {"NULL", "TRUE", "FALSE"}) {
    if (AcceptWord(test)) return Make(start, ast::Unary{is + std::string(test), std::move(left)});
  }
  if (AcceptWord("UNKNOWN")) return Make(start, ast::Unary{is + "NULL", std::move(left)});
  if (AcceptWord("JSON")) {
    std::string test = "IS JSON";
    for (const std::string_view kind : {"SCALAR", "ARRAY", "OBJECT"}) {
      if (AcceptWord(kind)) test.append(" ").append(kind);
    }
    if (test == "IS JSON") AcceptWord("VALUE");
    ast::ExprPtr result = Make(start, ast::Unary{std::move(test), std::move(left)});
    return is == "IS " ? std::move(result) : Make(start, ast::Unary{"NOT", std::move(result)});
  }
  Unexpected("NULL, TRUE, FALSE, UNKNOWN, JSON or DISTINCT FROM after IS",
             {"NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "DISTINCT"});
}

ast::ExprPtr Grammar::ParsePredicate(ast::ExprPtr left, bool is_negated) {
  const Span start = left->at;
  if (AcceptWord("IN")) return ParseIn(std::move(left), is_negated);
  if (AcceptWord("BETWEEN")) {
    ast::Between between{.value = std::move(left), .is_negated = is_negated};
    between.is_symmetric = AcceptWord("SYMMETRIC");
    if (!between.is_symmetric) AcceptWord("ASYMMETRIC");
    between.low = ParseBinary(kSum);
    ExpectWord("AND");
    between.high = ParseBinary(kSum);
    return Make(start, std::move(between));
  }
  ast::Name like{"LIKE", Peek().span};
  if (AcceptWords({"SIMILAR", "TO"})) {
    like.text = "SIMILAR TO";
  } else {
    ExpectWord("LIKE");
  }
  ast::Call call{.function = like};
  call.arguments.push_back({{}, std::move(left)});
  call.arguments.push_back({{}, ParseBinary(kSum)});
  if (AcceptWord("ESCAPE")) call.arguments.push_back({{}, ParseBinary(kSum)});
  ast::ExprPtr result = Make(start, std::move(call));
  return is_negated ? Make(start, ast::Unary{"NOT", std::move(result)}) : std::move(result);
}

ast::ExprPtr Grammar::ParseQuantified(ast::ExprPtr left, std::string_view op) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOpposites = {
      {{"=", "<>"}, {"<>", "="}, {"<", ">="}, {">=", "<"}, {">", "<="}, {"<=", ">"}}};
  const Span start = left->at;
  const Span quantifier = Peek().span;
  const bool is_all = AcceptWord("ALL");
  if (!is_all) Take();
  if (!NextIsQuery(1)) {
    Unsupported(quantifier, "a comparison with ANY, SOME or ALL of a list is", "use IN");
  }
  ast::ExprPtr query = ParseExpressionQuery();
  for (const auto& [one, other] : kOpposites) {
    if (!is_all || op != one) continue;
    op = other;
    break;
  }
  return Make(start,
              ast::InQuery{.value = std::move(left),
                           .query = std::get<ast::ScalarQuery>(query->node).query,
                           .is_negated = is_all,
                           .op = std::string(op)});
}

ast::ExprPtr Grammar::ParseIn(ast::ExprPtr left, bool is_negated) {
  const Span start = left->at;
  if (!NextIs("(")) Unexpected("\"(\"");
  if (NextIsQuery(1)) {
    ast::ExprPtr query = ParseExpressionQuery();
    ast::QueryPtr inner = std::get<ast::ScalarQuery>(query->node).query;
    return Make(start,
                ast::InQuery{
                    .value = std::move(left), .query = std::move(inner), .is_negated = is_negated});
  }
  Expect("(");
  std::vector<ast::ExprPtr> items = ParseExpressionList();
  Expect(")");
  return Make(start, ast::InList{std::move(left), std::move(items), is_negated});
}

// A query in parentheses, as a ScalarQuery. Trees that go on inside one are not counted in an
// expression's height, so these nest less deeply than others.
ast::ExprPtr Grammar::ParseExpressionQuery() {
  const Span start = Expect("(");
  if (expression_query_nesting_ >= kExpressionQueryNestingMax) {
    Fail(start,
         fmt::format("more than {} queries inside one another's expressions",
                     kExpressionQueryNestingMax));
  }
  ++expression_query_nesting_;
  ast::QueryPtr query = ParseQuery();
  --expression_query_nesting_;
  Expect(")");
  return Make(start, ast::ScalarQuery{std::move(query)});
}

ast::ExprPtr Grammar::ParsePostfix() {
  const Span start = Peek().span;
  ast::ExprPtr base = ParsePrimary();
  while (true) {
    if (Accept("[")) {
      ast::ExprPtr index = ParseExpression();
      Expect("]");
      base = Make(start, ast::Subscript{std::move(base), std::move(index)});
    } else if (NextIs(".")) {
      Take();
      base = Make(start, ast::FieldAccess{std::move(base), ExpectName("a field's name")});
    } else {
      return base;
    }
  }
}

ast::ExprPtr Grammar::ParsePrimary() {
  const Token& token = Peek();
  switch (token.kind) {
    case Token::Kind::kNumber:
      Take();
      return Make(token.span, ast::Literal{ast::Literal::Kind::kNumber, token.text});
    case Token::Kind::kString:
      Take();
      return Make(token.span, ast::Literal{ast::Literal::Kind::kString, token.text});
    case Token::Kind::kQuotedName:
      return ParseNameOrCall();
    case Token::Kind::kWord:
      return ParseWordPrimary();
    default:
      break;
  }
  if (NextIs("*")) {
    Take();
    return Make(token.span, ast::Star{});
  }
  if (NextIs("(")) return ParseParenthesized();
  Unexpected("an expression");
}

ast::ExprPtr Grammar::ParseParenthesized() {
  if (NextIsQuery(1)) return ParseExpressionQuery();
  const Span start = Expect("(");
  std::vector<ast::ExprPtr> items = ParseExpressionList();
  Expect(")");
  if (items.size() > 1) {
    return Make(start, ast::Constructor{ast::Constructor::Kind::kRow, std::move(items)});
  }
  return std::move(items.front());
}

ast::ExprPtr Grammar::ParseWordPrimary() {
  const Token& token = Peek();
  const Token& next = Peek(1);
  if (token.IsWord("NULL")) {
    Take();
    return Make(token.span, ast::Literal{});
  }
  if (token.IsWord("TRUE") || token.IsWord("FALSE")) {
    Take();
    return Make(token.span, ast::Literal{ast::Literal::Kind::kBoolean, ToUpper(token.text)});
  }
  if (token.IsWord("INTERVAL")) return ParseInterval();
  if (token.IsWord("CASE")) return ParseCase();
  if (token.IsWord("CAST")) return ParseCast(false);
  if (token.IsWord("TRY_CAST")) return ParseCast(true);
  if (token.IsWord("EXISTS")) {
    Take();
    ast::ExprPtr query = ParseExpressionQuery();
    return Make(token.span, ast::Exists{std::get<ast::ScalarQuery>(query->node).query});
  }
  if (next.kind == Token::Kind::kString) {
    if (token.IsWord("DATE")) return ParseTypedLiteral(ast::Literal::Kind::kDate);
    if (token.IsWord("TIME")) return ParseTypedLiteral(ast::Literal::Kind::kTime);
    if (token.IsWord("TIMESTAMP")) return ParseTypedLiteral(ast::Literal::Kind::kTimestamp);
    if (token.IsWord("X")) return ParseBinaryLiteral();
  }
  if (token.IsWord("ROW") && next.IsSymbol("(")) {
    return ParseConstructor(ast::Constructor::Kind::kRow);
  }
  if (token.IsWord("MULTISET") && next.IsSymbol("[")) Unsupported(token.span, "MULTISET is");
  if (token.IsWord("ARRAY") && next.IsSymbol("[")) {
    return ParseConstructor(ast::Constructor::Kind::kArray);
  }
  if (token.IsWord("MAP") && next.IsSymbol("[")) {
    return ParseConstructor(ast::Constructor::Kind::kMap);
  }
  return ParseNameOrCall();
}

ast::ExprPtr Grammar::ParseTypedLiteral(ast::Literal::Kind kind) {
  const Span start = Take().span;
  std::string text = ExpectString("a literal");
  return Make(start, ast::Literal{kind, std::move(text)});
}

// x'48656C': its bytes.
ast::ExprPtr Grammar::ParseBinaryLiteral() {
  const Span start = Take().span;
  const std::string digits = Take().text;
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    uint8_t byte = 0;
    const auto [parsed, error] = std::from_chars(&digits[i], &digits[i] + 2, byte, 16);
    if (error != std::errc() || parsed != &digits[i] + 2) break;
    bytes.push_back(static_cast<char>(byte));
  }
  if (bytes.size() * 2 != digits.size()) {
    Fail(Join(start, PreviousSpan()), "a binary literal holds pairs of hexadecimal digits");
  }
  return Make(start, ast::Literal{ast::Literal::Kind::kBinary, std::move(bytes)});
}

ast::ExprPtr Grammar::ParseInterval() {
  const Span start = ExpectWord("INTERVAL");
  ast::Interval interval;
  interval.is_negative = Accept("-");
  if (!interval.is_negative) Accept("+");
  if (Peek().kind == Token::Kind::kNumber) {
    Fail(Peek().span,
         "the number of an INTERVAL stands in quotes",
         fmt::format("INTERVAL '{}' …", Peek().text));
  }
  interval.text = ExpectString("the interval's length");
  const auto skip_precision = [&] {
    if (!Accept("(")) return;
    do {
      ExpectCount("a precision");
    } while (Accept(","));
    Expect(")");
  };
  interval.from = ParseUnit();
  skip_precision();
  if (AcceptWord("TO")) {
    interval.to = ParseUnit();
    skip_precision();
  }
  return Make(start, std::move(interval));
}

std::string Grammar::ParseUnit() {
  static const std::vector<std::string> units = {"MICROSECOND",
                                                 "MILLISECOND",
                                                 "SECOND",
                                                 "MINUTE",
                                                 "HOUR",
                                                 "DAY",
                                                 "DOW",
                                                 "DOY",
                                                 "ISODOW",
                                                 "WEEK",
                                                 "MONTH",
                                                 "QUARTER",
                                                 "YEAR",
                                                 "ISOYEAR",
                                                 "EPOCH",
                                                 "DECADE",
                                                 "CENTURY",
                                                 "MILLENNIUM"};
  const Token& token = Peek();
  for (const std::string& unit : units) {
    const bool is_named =
        token.IsWord(unit) || token.IsWord(unit + "S") || token.IsWord("SQL_TSI_" + unit);
    if (!is_named) continue;
    Take();
    return unit;
  }
  const std::string hint = token.kind == Token::Kind::kWord ? DidYouMean(token.text, units) : "";
  Fail(token.span, "expected a unit of time (SECOND, MINUTE, HOUR, DAY, …)", hint);
}

ast::ExprPtr Grammar::ParseCase() {
  const Span start = ExpectWord("CASE");
  ast::Case result;
  if (!NextIsWord("WHEN")) result.operand = ParseExpression();
  do {
    ExpectWord("WHEN");
    ast::Case::Branch& branch = result.branches.emplace_back();
    do {
      branch.whens.push_back(ParseExpression());
    } while (result.operand && Accept(","));
    ExpectWord("THEN");
    branch.then = ParseExpression();
  } while (NextIsWord("WHEN"));
  if (AcceptWord("ELSE")) result.otherwise = ParseExpression();
  if (!NextIsWord("END")) Unexpected("WHEN, ELSE or END", {"WHEN", "ELSE", "END"});
  Take();
  return Make(start, std::move(result));
}

ast::ExprPtr Grammar::ParseCast(bool is_try) {
  const Span start = Take().span;
  Expect("(");
  ast::ExprPtr value = ParseExpression();
  ExpectWord("AS");
  DataType type = ParseType();
  Expect(")");
  return Make(start, ast::Cast{std::move(value), std::move(type), is_try});
}

}  // namespace slipstream::sql
