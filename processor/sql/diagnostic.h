#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::sql {

// A stretch of a SourceText, in bytes.
struct Span {
  uint32_t offset = 0;
  uint32_t length = 0;
};

// From the start of the first to the end of the last.
Span Join(Span first, Span last);

// SQL as it was given, and what it is called in messages: a file's name, or "query".
struct SourceText {
  std::string name;
  std::string text;

  std::string_view Slice(Span span) const;
};

// Diagnostic: what is wrong with a piece of SQL, and where. Self-contained: it outlives the text.
struct Diagnostic {
  std::string source;
  uint32_t line = 0;      // from 1
  uint32_t column = 0;    // from 1, in characters
  std::string line_text;  // of the line; long ones are cut around the place
  uint32_t caret = 0;     // characters of line_text before the place
  uint32_t width = 1;     // characters to underline
  std::string message;
  std::string hint;  // empty: none

  // job.sql:2:8: no column "dep_dely"
  //   2 | SELECT dep_dely FROM flights
  //     |        ^^^^^^^^
  // hint: did you mean "dep_delay"?
  std::string Render() const;
};

Diagnostic MakeDiagnostic(const SourceText& source,
                          Span span,
                          std::string message,
                          std::string hint);

// Thrown inside the parser and the planner only, and caught at their entries (Parse, and Planner's
// methods), which answer with ToStatus().
class SqlError final : public std::exception {
 public:
  explicit SqlError(Diagnostic diagnostic);

  const Diagnostic& diagnostic() const { return diagnostic_; }
  const char* what() const noexcept override { return diagnostic_.message.c_str(); }
  // kInvalidArgument with the rendered diagnostic.
  Status ToStatus() const;

 private:
  Diagnostic diagnostic_;
};

}  // namespace slipstream::sql
