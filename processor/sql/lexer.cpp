#include "processor/sql/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '$';
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

// The number of bytes of the UTF-8 character at `text[at]`, or 0 if it is none.
size_t CharacterBytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + bytes > text.size()) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_out_of_range = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return is_overlong || is_out_of_range ? 0 : bytes;
}

class Lexer {
 public:
  explicit Lexer(const SourceText& source) : source_(source), text_(source.text) {}

  std::vector<Token> Run() {
    CheckText();
    while (true) {
      SkipSpaceAndComments();
      if (at_ == text_.size()) break;
      Next();
    }
    if (hint_start_) Fail(*hint_start_, "this hint has no end", "end it with */");
    Emit(Token::Kind::kEnd, "", at_);
    return std::move(tokens_);
  }

 private:
  static constexpr std::array<std::string_view, 7> kLongSymbols = {
      "<=", ">=", "<>", "!=", "||", "=>", "*/"};
  static constexpr std::string_view kSymbols = "()[]{},;.*+-/%=<>:";

  [[noreturn]] void Fail(Span span, std::string message, std::string hint = "") const {
    throw SqlError(MakeDiagnostic(source_, span, std::move(message), std::move(hint)));
  }
  [[noreturn]] void Fail(size_t start, std::string message, std::string hint = "") const {
    Fail(SpanFrom(start, start + 1), std::move(message), std::move(hint));
  }

  static Span SpanFrom(size_t start, size_t end) {
    return {static_cast<uint32_t>(start), static_cast<uint32_t>(end - start)};
  }

  void CheckText() {
    if (text_.size() > kSourceBytesMax) {
      Fail(0, fmt::format("more than {} bytes of SQL", kSourceBytesMax));
    }
    for (size_t i = 0; i < text_.size();) {
      const size_t bytes = CharacterBytes(text_, i);
      if (bytes == 0) Fail(i, "the text is not UTF-8");
      i += bytes;
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
  }

  bool StartsWith(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  void SkipSpaceAndComments() {
    while (at_ < text_.size()) {
      if (IsSpace(text_[at_])) {
        ++at_;
      } else if (StartsWith("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (StartsWith("/*") && !StartsWith("/*+")) {
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) Fail(at_, "this comment has no end", "end it with */");
        at_ = end + 2;
      } else {
        return;
      }
    }
  }

  void Next() {
    const char c = text_[at_];
    if (StartsWith("U&'") || StartsWith("u&'")) {
      UnicodeString();
    } else if (IsNameStart(c)) {
      const size_t start = at_;
      while (at_ < text_.size() && IsNamePart(text_[at_]))
        ++at_;
      Emit(Token::Kind::kWord, std::string(text_.substr(start, at_ - start)), start);
    } else if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
      Number();
    } else if (c == '\'') {
      Quoted(Token::Kind::kString, "this string has no end", "end it with '");
    } else if (c == '`') {
      Quoted(Token::Kind::kQuotedName, "this quoted name has no end", "end it with `");
    } else {
      Symbol();
    }
  }

  // Text between two of the same quotes; a doubled quote stands for one.
  void Quoted(Token::Kind kind, const char* unterminated, const char* hint) {
    const size_t start = at_;
    const char quote = text_[at_++];
    std::string value;
    while (true) {
      if (at_ == text_.size()) Fail(start, unterminated, hint);
      if (text_[at_] == quote) {
        const bool is_doubled = at_ + 1 < text_.size() && text_[at_ + 1] == quote;
        if (!is_doubled) break;
        ++at_;
      }
      value += text_[at_++];
    }
    ++at_;
    if (kind == Token::Kind::kQuotedName && value.empty()) {
      Fail(SpanFrom(start, at_), "a name cannot be empty");
    }
    Emit(kind, std::move(value), start);
  }

  // U&'a\0041\+01F600' [UESCAPE 'c'], where c stands for the backslash.
  void UnicodeString() {
    const size_t start = at_;
    at_ += 2;
    const std::string escaped = TakeString();
    char escape = '\\';
    const size_t end = at_;
    SkipSpaceAndComments();
    if (EqualsIgnoreCase(text_.substr(at_, 7), "UESCAPE")) {
      at_ += 7;
      SkipSpaceAndComments();
      const std::string mark = at_ < text_.size() && text_[at_] == '\'' ? TakeString() : "";
      if (mark.size() != 1) Fail(start, "UESCAPE takes one character in quotes");
      escape = mark.front();
    } else {
      at_ = end;
    }
    std::string value;
    for (size_t i = 0; i < escaped.size();) {
      if (escaped[i] != escape) {
        value += escaped[i++];
      } else if (i + 1 < escaped.size() && escaped[i + 1] == escape) {
        value += escape;
        i += 2;
      } else {
        const bool is_long = i + 1 < escaped.size() && escaped[i + 1] == '+';
        const size_t first = i + (is_long ? 2 : 1);
        const std::string_view digits =
            std::string_view(escaped).substr(std::min(first, escaped.size()), is_long ? 6 : 4);
        uint32_t code_point = 0;
        const auto [parsed, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code_point, 16);
        if (error != std::errc() || parsed != digits.data() + (is_long ? 6 : 4)) {
          Fail(SpanFrom(start, at_), "a character is written with four digits, or + and six");
        }
        AppendUtf8(value, code_point);
        i = first + digits.size();
      }
    }
    Emit(Token::Kind::kString, std::move(value), start);
  }

  // The text of a string at hand, without its token.
  std::string TakeString() {
    Quoted(Token::Kind::kString, "this string has no end", "end it with '");
    std::string text = std::move(tokens_.back().text);
    tokens_.pop_back();
    return text;
  }

  void Digits() {
    while (at_ < text_.size() && IsDigit(text_[at_]))
      ++at_;
  }

  void Number() {
    const size_t start = at_;
    Digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      Digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      const size_t exponent = at_;
      Digits();
      if (exponent == at_) Fail(SpanFrom(start, at_), "this number's exponent has no digits");
    }
    if (at_ < text_.size() && IsNamePart(text_[at_])) {
      while (at_ < text_.size() && IsNamePart(text_[at_]))
        ++at_;
      Fail(SpanFrom(start, at_),
           "neither a number nor a name",
           "a name that begins with a digit is written `like this`");
    }
    Emit(Token::Kind::kNumber, std::string(text_.substr(start, at_ - start)), start);
  }

  void Symbol() {
    const size_t start = at_;
    if (StartsWith("/*+")) {
      if (hint_start_) Fail(start, "a hint inside a hint");
      hint_start_ = SpanFrom(start, start + 3);
      at_ += 3;
      Emit(Token::Kind::kSymbol, "/*+", start);
      return;
    }
    for (const std::string_view symbol : kLongSymbols) {
      if (!StartsWith(symbol) || (symbol == "*/" && !hint_start_)) continue;
      if (symbol == "*/") hint_start_.reset();
      at_ += symbol.size();
      Emit(Token::Kind::kSymbol, std::string(symbol), start);
      return;
    }
    if (kSymbols.find(text_[at_]) == std::string_view::npos) UnknownCharacter();
    ++at_;
    Emit(Token::Kind::kSymbol, std::string(1, text_[start]), start);
  }

  [[noreturn]] void UnknownCharacter() const {
    if (text_[at_] == '"') {
      Fail(at_,
           "double quotes mean nothing here",
           "text is written 'like this', a name `like this`");
    }
    const auto byte = static_cast<unsigned char>(text_[at_]);
    Fail(at_,
         byte < 0x20 || byte == 0x7F ? fmt::format("unexpected control character {}", byte)
                                     : fmt::format("unexpected character {}", text_[at_]));
  }

  void Emit(Token::Kind kind, std::string text, size_t start) {
    tokens_.push_back({kind, std::move(text), SpanFrom(start, at_)});
  }

  const SourceText& source_;
  std::string_view text_;
  size_t at_ = 0;
  std::optional<Span> hint_start_;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::IsWord(std::string_view upper_case) const {
  return kind == Kind::kWord && EqualsIgnoreCase(text, upper_case);
}

std::vector<Token> Tokenize(const SourceText& source) {
  return Lexer(source).Run();
}

}  // namespace slipstream::sql
