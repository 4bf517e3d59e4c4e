#include "tests/cluster/shell_transcript.h"

#include <regex>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tests/support/process.h"

namespace slipstream::test_support {
namespace {

// The lines of an output stream, each behind `prefix`.
std::string Quote(const std::string& output, std::string_view prefix) {
  std::string out;
  for (size_t begin = 0; begin < output.size();) {
    const size_t end = std::min(output.find('\n', begin), output.size());
    const std::string line = output.substr(begin, end - begin);
    out += fmt::format("{}{}", prefix, line.empty() && prefix.empty() ? "~" : line);
    out += end == output.size() ? "(no-eol)\n" : "\n";
    begin = end + 1;
  }
  return out;
}

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

std::string ShellTranscript::Mask(std::string text) const {
  for (const auto& [name, stand_in] : options_.names)
    ReplaceAll(text, name, stand_in);
  static const std::vector<std::pair<std::regex, std::string>> patterns = {
      {std::regex("20[2-9][0-9]-[01][0-9]-[0-3][0-9]"), "DATE"},
      {std::regex("DATE [0-2][0-9]:[0-5][0-9](:[0-5][0-9](,[0-9]{3})?)?"), "DATE"},
      {std::regex("[A-Z][a-z]{2} [A-Z][a-z]{2} [0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9] UTC "
                  "20[2-9][0-9]"),
       "DATE"},
      {std::regex("\\bblk_[0-9]+"), "blk_N"},
      {std::regex("\\b[0-9a-f]{16}\\b"), "NODE"},
      {std::regex("in [0-9]+ milliseconds"), "in N milliseconds"},
  };
  for (const auto& [pattern, stand_in] : patterns)
    text = std::regex_replace(text, pattern, stand_in);
  return text;
}

Result<std::string> ShellTranscript::Run(const std::string& command) const {
  ASSIGN_OR_RETURN(
      const ToolResult result,
      RunTool(
          {.program = "/bin/bash",
           .args = {"-c", fmt::format("cd '{}' || exit\n{}", options_.directory.string(), command)},
           .environment = options_.environment}));
  std::string out = Quote(result.out, "") + Quote(result.err, "! ");
  if (result.exit.code != 0) out += fmt::format("[{}]\n", result.exit.code);
  return Mask(std::move(out));
}

Result<std::string> ShellTranscript::Replay(const std::string& text) const {
  std::istringstream lines(text);
  std::string out;
  bool has_command = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("$ ")) {
      has_command = true;
      ASSIGN_OR_RETURN(const std::string output, Run(line.substr(2)));
      out += line + "\n" + output;
    } else if (line.empty() || line.starts_with('#')) {
      out += line + "\n";
    } else if (!has_command) {
      return InvalidArgument(fmt::format("no command has printed: {}", line));
    }
  }
  return out;
}

}  // namespace slipstream::test_support
