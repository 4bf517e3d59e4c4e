#pragma once

#include <string>
#include <vector>

#include "processor/sql/diagnostic.h"

namespace slipstream::sql {

struct Token {
  enum class Kind {
    kWord,        // a keyword or a plain name; text is as written
    kQuotedName,  // `name`; text is without the quotes, `` undoubled
    kString,      // 'text'; likewise
    kNumber,      // 12, 1.5, .5, 1e-3
    kSymbol,      // ( ) <= => …; hints come as "/*+" and "*/"
    kEnd,         // after the last token
  };
  Kind kind = Kind::kEnd;
  std::string text;
  Span span;

  bool IsSymbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool IsWord(std::string_view upper_case) const;
};

inline constexpr size_t kSourceBytesMax = size_t{1} << 20;

// The tokens of `source`, kEnd last; comments and white space are dropped. Throws SqlError: longer
// than kSourceBytesMax, not UTF-8, an unterminated string, name, comment or hint, a character that
// begins no token.
std::vector<Token> Tokenize(const SourceText& source);

}  // namespace slipstream::sql
