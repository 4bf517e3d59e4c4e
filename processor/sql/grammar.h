#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processor/sql/ast.h"
#include "processor/sql/lexer.h"

namespace slipstream::sql {

// Grammar: the recursive-descent parser behind Parse(), with precedence climbing for expressions.
// Private to sql/. One method for each rule, in files of their own: grammar_statements.cpp,
// grammar_queries.cpp, grammar_expressions.cpp, grammar_calls.cpp, grammar_types.cpp; what they
// share is in grammar.cpp.
//
// Errors  throws SqlError.
class Grammar {
 public:
  explicit Grammar(std::shared_ptr<const SourceText> source);

  ast::Script ParseScript();

 private:
  // ---- Tokens (grammar.cpp) ----
  const Token& Peek(size_t ahead = 0) const;
  const Token& Take();
  Span PreviousSpan() const;
  bool NextIs(std::string_view symbol) const { return Peek().IsSymbol(symbol); }
  bool NextIsWord(std::string_view word, size_t ahead = 0) const {
    return Peek(ahead).IsWord(word);
  }
  bool NextAreWords(std::initializer_list<std::string_view> words) const;
  bool Accept(std::string_view symbol);
  bool AcceptWord(std::string_view word);
  bool AcceptWords(std::initializer_list<std::string_view> words);  // all or none
  Span Expect(std::string_view symbol);
  Span ExpectWord(std::string_view word);
  void ExpectWords(std::initializer_list<std::string_view> words);
  bool NextIsName() const;
  ast::Name ExpectName(std::string_view what);
  std::string ExpectString(std::string_view what);
  uint64_t ExpectCount(std::string_view what);
  ast::QualifiedName ExpectQualifiedName(std::string_view what);
  std::vector<ast::Name> NameList(std::string_view what);  // (a, b)

  [[noreturn]] void Fail(Span at, std::string message, std::string hint = "") const;
  // "expected X, found Y", with the nearest of `words` as a hint.
  [[noreturn]] void Unexpected(std::string_view expected,
                               std::initializer_list<std::string_view> words = {}) const;
  // What the language has but this dialect does not.
  [[noreturn]] void Unsupported(Span at, std::string_view what, std::string hint = "") const;

  class Nesting;  // counts a level of recursion while it lives

  // ---- Statements ----
  ast::Statement ParseStatement();
  ast::Statement ParseCreate();
  ast::CreateTable ParseCreateTable(bool is_temporary);
  ast::TableLike ParseTableLike();
  ast::Use ParseUse();
  void ParseTableElement(ast::CreateTable& table);
  void ParseWatermark(ast::CreateTable& table);
  void ParsePrimaryKey(ast::CreateTable& table);
  ast::ColumnDefinition ParseColumn(ast::CreateTable& table);
  void ParseColumnSuffixes(ast::CreateTable& table, ast::ColumnDefinition& column);
  ast::CreateView ParseCreateView(bool is_temporary);
  ast::Drop ParseDrop();
  ast::Statement ParseSet();
  ast::Reset ParseReset();
  ast::Statement ParseShow();
  ast::Insert ParseInsert();
  ast::StatementSet ParseStatementSet();
  ast::Explain ParseExplain();
  [[noreturn]] void UnknownStatement() const;
  std::vector<ast::Option> ParseOptions();      // ('k' = 'v', …)
  std::vector<ast::Option> ParseHints();        // [/*+ OPTIONS(…) */]
  std::vector<ast::Option> ParseSelectHints();  // [/*+ STATE_TTL(…), … */]

  // ---- Queries ----
  bool NextIsQuery(size_t ahead = 0) const;
  bool NextIsWholeTable(size_t ahead = 0) const;
  ast::QueryPtr ParseQuery();
  void ParseCommonTables(ast::Query& query);
  void ParseTerms(ast::Query& query);
  void ParseLimits(ast::Query& query);
  ast::QueryTerm ParseTerm();
  ast::Select ParseSelect();
  ast::SelectItem ParseSelectItem();
  void ParseGroupBy(ast::Select& select);
  // One item of GROUP BY: the sets of expressions it stands for, by their places in group_by.
  using GroupingSets = std::vector<std::vector<size_t>>;
  GroupingSets ParseGroupingItem(ast::Select& select);
  // (a, b), a or (): a list of expressions, by their places.
  std::vector<size_t> ParseGroupingSet(ast::Select& select);
  ast::Values ParseValues();
  ast::Select ParseWholeTable();
  ast::TableRefPtr ParseFrom();
  ast::TableRefPtr ParseJoins();
  ast::TableRefPtr ParseTablePrimary();
  ast::TableRefPtr ParseParenthesizedTable();
  void ParseTableAlias(ast::TableRef& table);
  std::vector<ast::OrderItem> ParseOrderBy();  // after ORDER BY
  ast::WindowDefinition ParseWindow();         // in parentheses
  void ParseFrame(ast::WindowDefinition& window);
  ast::FrameBound ParseFrameBound();

  // ---- Expressions ----
  ast::ExprPtr ParseExpression();
  std::vector<ast::ExprPtr> ParseExpressionList();
  ast::ExprPtr ParseBinary(int precedence_min);
  ast::ExprPtr ParseUnary();
  ast::ExprPtr ParsePostfix();
  ast::ExprPtr ParsePrimary();
  ast::ExprPtr ParseWordPrimary();
  ast::ExprPtr ParseParenthesized();
  ast::ExprPtr ParseIs(ast::ExprPtr left);
  // left op [ANY | SOME | ALL (SELECT …)].
  ast::ExprPtr ParseQuantified(ast::ExprPtr left, std::string_view op);
  ast::ExprPtr ParseOverlaps(ast::ExprPtr left);
  // The part after [NOT]: IN, BETWEEN, LIKE.
  ast::ExprPtr ParsePredicate(ast::ExprPtr left, bool is_negated);
  ast::ExprPtr ParseIn(ast::ExprPtr left, bool is_negated);
  ast::ExprPtr ParseInterval();
  ast::ExprPtr ParseTypedLiteral(ast::Literal::Kind kind);
  ast::ExprPtr ParseBinaryLiteral();
  ast::ExprPtr ParseCase();
  ast::ExprPtr ParseCast(bool is_try);
  ast::ExprPtr ParseConstructor(ast::Constructor::Kind kind);
  ast::ExprPtr ParseNameOrCall();
  ast::ExprPtr ParseCall(ast::Name function);
  // Functions with words between their arguments: EXTRACT(DAY FROM x). Null: not one of them.
  ast::ExprPtr ParseSpecialCall(const ast::Name& function);
  ast::ExprPtr ParseTrim(ast::Call call);
  // Functions of JSON with words between their arguments. Null: not one of them.
  ast::ExprPtr ParseJsonCall(ast::Call call, const std::string& name);
  ast::ExprPtr ParseJsonValue(ast::Call call);
  ast::ExprPtr ParseJsonExists(ast::Call call);
  ast::ExprPtr ParseJsonQuery(ast::Call call);
  ast::ExprPtr ParseJsonObject(ast::Call call);
  ast::ExprPtr ParseJsonArray(ast::Call call);
  ast::ExprPtr ParseJsonAggregate(ast::Call call, bool is_object);
  // KEY key VALUE value
  void ParseJsonMember(ast::Call& call);
  // The text and the path that such a call begins with.
  void ParseJsonPath(ast::Call& call);
  // [NULL | ABSENT ON NULL]: whether NULLs stay.
  bool ParseOnNull(bool otherwise);
  bool NextIsOnNull() const;
  // ON EMPTY (true) or ON ERROR.
  bool ParseOnEmpty();
  ast::ExprPtr MakeWord(std::string word);  // as a literal
  void ParseArguments(ast::Call& call);
  ast::Argument ParseArgument();
  void TakeNullTreatment(ast::Call& call);
  void ParseCallSuffixes(ast::Call& call);  // FILTER, OVER
  std::string ParseUnit();
  ast::ExprPtr ParseExpressionQuery();
  ast::ExprPtr Make(Span start, ast::Expr::Node node);

  // ---- Types ----
  DataType ParseType();
  DataType ParseTypeName();
  DataType ParseTimestampType();
  DataType ParseRowType();
  int32_t ParseTypeParameter(int32_t fallback, int32_t min, int32_t max);

  std::shared_ptr<const SourceText> source_;  // shared with the script
  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t nesting_ = 0;
  uint32_t expression_query_nesting_ = 0;
};

// Whether `word` cannot be a name unless it is quoted.
bool IsReserved(std::string_view word);

class Grammar::Nesting {
 public:
  explicit Nesting(Grammar& grammar);
  ~Nesting() { --grammar_.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Grammar& grammar_;
};

}  // namespace slipstream::sql
