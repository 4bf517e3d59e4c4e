#include "processor/sql/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "processor/sql/nearest_name.h"
#include "processor/sql/parser.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

// Fewer than Flink reserves: whatever can be told from a keyword by its place may be a name, so
// that files written for Flink (where more has to be quoted) still mean the same.
constexpr std::array kReserved = std::to_array<std::string_view>(
    {"ALL",     "AND",    "AS",       "BETWEEN",   "BY",       "CASE",    "CAST",     "CREATE",
     "CROSS",   "DESC",   "DISTINCT", "DROP",      "ELSE",     "END",     "EXCEPT",   "EXISTS",
     "EXPLAIN", "FALSE",  "FETCH",    "FOR",       "FROM",     "FULL",    "GROUP",    "HAVING",
     "IN",      "INNER",  "INSERT",   "INTERSECT", "INTERVAL", "INTO",    "IS",       "JOIN",
     "LATERAL", "LEFT",   "LIKE",     "LIMIT",     "MINUS",    "QUALIFY", "NATURAL",  "NOT",
     "NULL",    "OFFSET", "ON",       "OR",        "ORDER",    "OUTER",   "OVER",     "PRIMARY",
     "RIGHT",   "SELECT", "SET",      "TABLE",     "THEN",     "TRUE",    "TRY_CAST", "UNION",
     "UNNEST",  "USING",  "VALUES",   "WATERMARK", "WHEN",     "WHERE",   "WINDOW",   "WITH"});

std::string Describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the end of the text";
    case Token::Kind::kString:
      return "a string";
    case Token::Kind::kQuotedName:
      return "`" + token.text + "`";
    default:
      return "\"" + token.text + "\"";
  }
}

}  // namespace

bool IsReserved(std::string_view word) {
  return std::any_of(kReserved.begin(), kReserved.end(), [&](std::string_view reserved) {
    return EqualsIgnoreCase(reserved, word);
  });
}

Grammar::Grammar(std::shared_ptr<const SourceText> source)
    : source_(std::move(source)), tokens_(Tokenize(*source_)) {}

Grammar::Nesting::Nesting(Grammar& grammar) : grammar_(grammar) {
  if (grammar.nesting_ >= kNestingMax) {
    grammar.Fail(grammar.Peek().span, fmt::format("more than {} levels of nesting", kNestingMax));
  }
  ++grammar.nesting_;
}

const Token& Grammar::Peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& Grammar::Take() {
  const Token& token = Peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

Span Grammar::PreviousSpan() const {
  return tokens_[at_ > 0 ? at_ - 1 : 0].span;
}

bool Grammar::NextAreWords(std::initializer_list<std::string_view> words) const {
  size_t ahead = 0;
  for (const std::string_view word : words) {
    if (!NextIsWord(word, ahead++)) return false;
  }
  return true;
}

bool Grammar::Accept(std::string_view symbol) {
  if (!NextIs(symbol)) return false;
  Take();
  return true;
}

bool Grammar::AcceptWord(std::string_view word) {
  return AcceptWords({word});
}

bool Grammar::AcceptWords(std::initializer_list<std::string_view> words) {
  if (!NextAreWords(words)) return false;
  at_ += words.size();
  return true;
}

Span Grammar::Expect(std::string_view symbol) {
  if (!NextIs(symbol)) Unexpected(fmt::format("\"{}\"", symbol));
  return Take().span;
}

Span Grammar::ExpectWord(std::string_view word) {
  if (!NextIsWord(word)) Unexpected(word, {word});
  return Take().span;
}

void Grammar::ExpectWords(std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    ExpectWord(word);
}

bool Grammar::NextIsName() const {
  const Token& token = Peek();
  return token.kind == Token::Kind::kQuotedName ||
         (token.kind == Token::Kind::kWord && !IsReserved(token.text));
}

ast::Name Grammar::ExpectName(std::string_view what) {
  const Token& token = Peek();
  if (token.kind == Token::Kind::kWord && IsReserved(token.text)) {
    Fail(token.span,
         fmt::format("expected {}, found the keyword {}", what, ToUpper(token.text)),
         fmt::format("if it is meant as a name, write `{}`", token.text));
  }
  if (!NextIsName()) Unexpected(what);
  Take();
  return {token.text, token.span};
}

std::string Grammar::ExpectString(std::string_view what) {
  if (Peek().kind != Token::Kind::kString) {
    Unexpected(fmt::format("{} in single quotes", what));
  }
  return Take().text;
}

uint64_t Grammar::ExpectCount(std::string_view what) {
  const Token& token = Peek();
  uint64_t count = 0;
  const char* const end = token.text.data() + token.text.size();
  const auto [parsed, error] = std::from_chars(token.text.data(), end, count);
  const bool is_count = token.kind == Token::Kind::kNumber && error == std::errc() && parsed == end;
  if (!is_count || count > INT64_MAX) Unexpected(fmt::format("{} (a whole number)", what));
  Take();
  return count;
}

ast::QualifiedName Grammar::ExpectQualifiedName(std::string_view what) {
  ast::QualifiedName name{ExpectName(what)};
  while (NextIs(".")) {
    Take();
    name.push_back(ExpectName("a name after \".\""));
  }
  return name;
}

std::vector<ast::Name> Grammar::NameList(std::string_view what) {
  std::vector<ast::Name> names;
  Expect("(");
  do {
    names.push_back(ExpectName(what));
  } while (Accept(","));
  Expect(")");
  return names;
}

void Grammar::Fail(Span at, std::string message, std::string hint) const {
  throw SqlError(MakeDiagnostic(*source_, at, std::move(message), std::move(hint)));
}

void Grammar::Unexpected(std::string_view expected,
                         std::initializer_list<std::string_view> words) const {
  const Token& token = Peek();
  std::string hint;
  if (token.kind == Token::Kind::kWord && words.size() > 0) {
    hint = DidYouMean(token.text, std::vector<std::string>(words.begin(), words.end()));
  }
  Fail(
      token.span, fmt::format("expected {}, found {}", expected, Describe(token)), std::move(hint));
}

void Grammar::Unsupported(Span at, std::string_view what, std::string hint) const {
  Fail(at, fmt::format("{} not supported yet", what), std::move(hint));
}

}  // namespace slipstream::sql
