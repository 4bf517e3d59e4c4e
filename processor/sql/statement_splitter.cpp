#include "processor/sql/statement_splitter.h"

#include <algorithm>
#include <utility>

#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

constexpr size_t kWordsKept = 5;  // EXPLAIN EXECUTE STATEMENT SET BEGIN

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace

void StatementSplitter::Add(std::string_view text) {
  text_.erase(0, at_);
  at_ = 0;
  text_ += text;
  // What could be the beginning of "--", "/*+" or "*/" waits for the rest.
  const auto waits = [this] {
    const std::string_view left = std::string_view(text_).substr(at_);
    return left == "-" || left == "/" || left == "/*" || left == "*";
  };
  while (at_ < text_.size() && !waits())
    Step();
}

std::optional<StatementSplitter::Statement> StatementSplitter::Next() {
  if (done_.empty()) return std::nullopt;
  Statement statement = std::move(done_.front());
  done_.erase(done_.begin());
  return statement;
}

std::optional<StatementSplitter::Statement> StatementSplitter::Rest() {
  while (at_ < text_.size())
    Step();
  if (!has_token_) return std::nullopt;
  Statement rest = std::move(current_);
  BeginStatement();
  mode_ = Mode::kPlain;
  return rest;
}

void StatementSplitter::Clear() {
  *this = StatementSplitter();
}

StatementSplitter::Open StatementSplitter::open() const {
  switch (mode_) {
    case Mode::kString:
      return Open::kString;
    case Mode::kQuotedName:
      return Open::kQuotedName;
    case Mode::kBlockComment:
      return Open::kComment;
    default:
      return has_token_ ? Open::kStatement : Open::kNothing;
  }
}

void StatementSplitter::Step() {
  const char c = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (mode_ == Mode::kPlain) {
    StepPlain(c, next);
  } else {
    StepInside(c, next);
  }
}

void StatementSplitter::StepPlain(char c, char next) {
  if (IsWordCharacter(c)) {
    Keep(c);
    word_.push_back(c);
    has_token_ = true;
    return;
  }
  EndWord();
  if (c == ';') {
    EndStatement();
    return;
  }
  const bool is_hint = c == '/' && next == '*' && at_ + 2 < text_.size() && text_[at_ + 2] == '+';
  if ((c == '-' && next == '-') || (c == '/' && next == '*' && !is_hint)) {
    mode_ = c == '-' ? Mode::kLineComment : Mode::kBlockComment;
    Keep(c);
    Keep(next);
    return;
  }
  if (!IsSpace(c)) {
    has_token_ = true;
    if (c == '\'') mode_ = Mode::kString;
    if (c == '`') mode_ = Mode::kQuotedName;
    // So that END counts only where it stands alone.
    if (since_.size() < kWordsKept) since_.emplace_back();
  }
  Keep(c);
}

void StatementSplitter::StepInside(char c, char next) {
  Keep(c);
  switch (mode_) {
    case Mode::kString:
      // A quote within comes as two, which ends the string and begins the next.
      if (c == '\'') mode_ = Mode::kPlain;
      break;
    case Mode::kQuotedName:
      if (c == '`') mode_ = Mode::kPlain;
      break;
    case Mode::kLineComment:
      if (c == '\n') mode_ = Mode::kPlain;
      break;
    case Mode::kBlockComment:
      if (c != '*' || next != '/') return;
      Keep(next);
      mode_ = Mode::kPlain;
      break;
    case Mode::kPlain:
      break;
  }
  // Comments before the first word are no part of the statement.
  if (mode_ == Mode::kPlain && !has_token_) current_.text.clear();
}

void StatementSplitter::Keep(char c) {
  ++at_;
  if (!current_.text.empty() || !IsSpace(c)) {
    if (current_.text.empty()) {
      current_.line = line_;
      current_.column = column_;
    }
    current_.text.push_back(c);
  }
  ++column_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  }
}

void StatementSplitter::EndWord() {
  if (word_.empty()) return;
  if (first_.size() < kWordsKept) first_.push_back(ToUpper(word_));
  if (since_.size() < kWordsKept) since_.push_back(ToUpper(word_));
  word_.clear();
}

bool StatementSplitter::IsInStatementSet() const {
  const auto at = std::find(first_.begin(), first_.end(), "STATEMENT");
  if (at == first_.end() || at + 1 == first_.end() || *(at + 1) != "SET") return false;
  const bool begins = std::find(first_.begin(), first_.end(), "BEGIN") != first_.end();
  const bool has_ended = since_.size() == 1 && since_.front() == "END";
  return begins && !has_ended;
}

void StatementSplitter::EndStatement() {
  if (IsInStatementSet()) {
    Keep(';');
    since_.clear();
    return;
  }
  ++at_;
  ++column_;
  if (has_token_) done_.push_back(std::move(current_));
  BeginStatement();
}

void StatementSplitter::BeginStatement() {
  current_ = {};
  has_token_ = false;
  word_.clear();
  first_.clear();
  since_.clear();
}

}  // namespace slipstream::sql
