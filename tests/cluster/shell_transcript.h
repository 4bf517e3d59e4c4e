#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// ShellTranscript: a session with a shell as a text, run again and compared. Its lines are
//   # …        a comment; empty lines, too, mean nothing
//   $ …        a command for bash; it stands for one line
//   anything   what the command before it printed: its standard output, then each line of standard
//              error behind "! ", then "[N]" if it exits with another code than 0; an empty line of
//              output is a "~", and "(no-eol)" stands behind a last line that does not end
// What is different in every run is masked before the comparison: see Mask().
class ShellTranscript final {
 public:
  struct Options {
    std::filesystem::path directory;                 // commands run in it
    std::map<std::string, std::string> environment;  // added to this process's
    // Texts that are different in every run and what stands for them, in this order.
    std::vector<std::pair<std::string, std::string>> names;
  };

  explicit ShellTranscript(Options options) : options_(std::move(options)) {}

  // Runs the commands of `text` and returns it with what they print now. Errors: kInvalidArgument
  // for output before the first command; whatever keeps a command from running to its end.
  Result<std::string> Replay(const std::string& text) const;

 private:
  Result<std::string> Run(const std::string& command) const;
  // Dates of this decade and later, numbers of blocks, durations, and the options' names.
  std::string Mask(std::string text) const;

  const Options options_;
};

}  // namespace slipstream::test_support
