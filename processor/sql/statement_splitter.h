#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::sql {

// StatementSplitter: cuts text that comes piece by piece, as a person types it or a pipe brings it,
// into statements, each up to its ";". It knows as much of SQL as that takes: strings, quoted
// names, comments, and that a STATEMENT SET has ";" of its own. What a statement says is not looked
// at. Threads  none of its own; one owner at a time.
class StatementSplitter {
 public:
  struct Statement {
    std::string text;     // from its first word on, without the ";"
    uint32_t line = 1;    // of the first character, from 1, since construction or Clear
    uint32_t column = 1;  // likewise, in bytes
  };

  // What stands open at the end of the text so far: nothing, a statement, or in one a string, a
  // quoted name, or a comment.
  enum class Open : uint8_t { kNothing, kStatement, kString, kQuotedName, kComment };

  // Takes more of the text; line ends belong to it.
  void Add(std::string_view text);
  // The next whole statement; nullopt: more text is needed. Empty ones are passed over.
  std::optional<Statement> Next();
  // What stands open, as the last statement of a text that has ended; nullopt: nothing.
  std::optional<Statement> Rest();
  // Forgets all text, and counts lines from 1 again.
  void Clear();

  Open open() const;
  // Of the text that stands open.
  size_t open_bytes() const { return current_.text.size(); }

 private:
  enum class Mode : uint8_t { kPlain, kString, kQuotedName, kLineComment, kBlockComment };

  // Takes the character at `at_`, and, where two mean something together, the next.
  void Step();
  void StepPlain(char c, char next);
  void StepInside(char c, char next);
  void Keep(char c);
  void EndWord();
  void EndStatement();
  bool IsInStatementSet() const;
  void BeginStatement();

  std::string text_;  // not yet looked at from at_ on
  size_t at_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
  Mode mode_ = Mode::kPlain;

  Statement current_;
  bool has_token_ = false;          // current_ is more than comments
  std::string word_;                // being read
  std::vector<std::string> first_;  // the first words of the statement, upper case
  std::vector<std::string> since_;  // the first words since the last ";" within it
  std::vector<Statement> done_;
};

}  // namespace slipstream::sql
