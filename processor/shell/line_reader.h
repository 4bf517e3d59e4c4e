#pragma once

#include <istream>
#include <memory>
#include <string>

namespace slipstream::processor {

// LineReader: where a shell's lines come from.
// Threads  one at a time. Blocking  Read.
class LineReader {
 public:
  struct Line {
    enum class Kind { kText, kInterrupted, kEnd };
    Kind kind = Kind::kEnd;
    std::string text;  // with its line end, if it has one
  };

  virtual ~LineReader() = default;

  // The next line. kInterrupted: what was being typed is taken back (a prompt only).
  virtual Line Read(const std::string& prompt) = 0;
  // Whether a person sits there: it shows prompts, and an error is not the end.
  virtual bool is_interactive() const = 0;
};

// Lines of a file, a pipe or a text; no prompt is shown. Borrows `in`.
std::unique_ptr<LineReader> ReadLinesOf(std::istream& in);

}  // namespace slipstream::processor
