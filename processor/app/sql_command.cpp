#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "common/daemon/flags.h"
#include "processor/app/commands.h"
#include "processor/app/exit_code.h"
#include "processor/app/sql_session.h"
#include "processor/app/sql_text.h"
#include "processor/shell/interrupts.h"
#include "processor/shell/line_reader.h"
#include "processor/shell/terminal.h"
#include "processor/sql/lexer.h"
#include "processor/sql/nearest_name.h"
#include "processor/sql/statement_splitter.h"

namespace slipstream::processor {
namespace {

constexpr const char* kHelpText =
    "Statements end with \";\" and may have many lines.\n"
    "  CREATE TABLE | VIEW, DROP TABLE | VIEW     for this session\n"
    "  SELECT ..., VALUES ...                     rows; of a stream as they come, until Ctrl-C\n"
    "  INSERT INTO t ..., EXECUTE STATEMENT SET   runs a job; a streaming one until Ctrl-C\n"
    "  EXPLAIN SELECT ... | INSERT ...            its plan\n"
    "  SHOW TABLES | VIEWS | FUNCTIONS | COLUMNS FROM t, SHOW CREATE TABLE | VIEW t, DESCRIBE t\n"
    "  SET 'key' = 'value', SET, RESET 'key', RESET\n"
    "  HELP, CLEAR, QUIT                          also without \";\"\n"
    "Ctrl-C stops what runs, or takes back what is being typed; Ctrl-D ends the session.\n";

enum class Word { kNone, kHelp, kClear, kQuit };

// What is for the shell and not for the engine.
Word ShellWord(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return Word::kNone;
  const size_t last = text.find_last_not_of(" \t\r\n;");
  if (last == std::string::npos || last < first) return Word::kNone;
  const std::string word = sql::ToUpper(text.substr(first, last + 1 - first));
  if (word == "HELP") return Word::kHelp;
  if (word == "CLEAR") return Word::kClear;
  return word == "QUIT" || word == "EXIT" ? Word::kQuit : Word::kNone;
}

// SqlShell: reads statements and runs them, to the end of the text or, where nobody sits at a
// prompt, to the first error.
class SqlShell {
 public:
  SqlShell(std::string name, LineReader& lines, SqlSession& session, Interrupts& interrupts)
      : name_(std::move(name)), lines_(lines), session_(session), interrupts_(interrupts) {}

  int Run() {
    if (lines_.is_interactive()) std::fputs("HELP says what there is; QUIT ends.\n", stdout);
    while (!exit_code_) {
      const LineReader::Line line = lines_.Read(Prompt());
      switch (line.kind) {
        case LineReader::Line::Kind::kText:
          Take(line.text);
          break;
        case LineReader::Line::Kind::kInterrupted:
          interrupts_.Clear();
          text_.Clear();
          if (interrupts_.has_ended()) exit_code_ = daemon::kExitInterrupted;
          break;
        case LineReader::Line::Kind::kEnd:
          if (const auto rest = text_.Rest(); rest && !lines_.is_interactive()) Execute(*rest);
          if (!exit_code_) exit_code_ = daemon::kExitDone;
          break;
      }
    }
    return *exit_code_;
  }

 private:
  const char* Prompt() const {
    using Open = sql::StatementSplitter::Open;
    switch (text_.open()) {
      case Open::kNothing:
        return "sql> ";
      case Open::kStatement:
        return "  -> ";
      case Open::kString:
        return "  '> ";
      case Open::kQuotedName:
        return "  `> ";
      case Open::kComment:
        return " /*> ";
    }
    return "";
  }

  void Take(const std::string& line) {
    const bool is_first = text_.open() == sql::StatementSplitter::Open::kNothing;
    if (lines_.is_interactive() && is_first) {
      // Places in messages are those in what was just typed.
      text_.Clear();
      if (RunWord(ShellWord(line))) return;
    }
    text_.Add(line);
    if (text_.open_bytes() > sql::kSourceBytesMax) {
      Fail(InvalidArgument(name_ + ": a statement longer than 1 MiB"));
      text_.Clear();
    }
    while (!exit_code_) {
      const auto statement = text_.Next();
      if (!statement) return;
      if (!RunWord(ShellWord(statement->text))) Execute(*statement);
    }
  }

  bool RunWord(Word word) {
    switch (word) {
      case Word::kNone:
        return false;
      case Word::kHelp:
        std::fputs(kHelpText, stdout);
        break;
      case Word::kClear:
        if (lines_.is_interactive()) std::fputs("\x1B[H\x1B[2J", stdout);
        break;
      case Word::kQuit:
        exit_code_ = daemon::kExitDone;
        break;
    }
    std::fflush(stdout);
    return true;
  }

  void Execute(const sql::StatementSplitter::Statement& statement) {
    const Status status = session_.Run(name_, statement, interrupts_.Begin());
    const bool was_stopped = interrupts_.End();
    if (!status.ok()) Fail(status);
    if (was_stopped && lines_.is_interactive()) std::fputs("stopped\n", stdout);
    std::fflush(stdout);
    if (interrupts_.has_ended() || (was_stopped && !lines_.is_interactive())) {
      exit_code_ = daemon::kExitInterrupted;
    }
  }

  void Fail(const Status& status) {
    const int exit_code = ExitCodeOf(status);
    if (lines_.is_interactive()) {
      // The rest of the line was meant to follow what failed.
      text_.Clear();
    } else {
      exit_code_ = exit_code;
    }
  }

  const std::string name_;  // of the text, in messages
  LineReader& lines_;
  SqlSession& session_;
  Interrupts& interrupts_;
  sql::StatementSplitter text_;
  std::optional<int> exit_code_;
};

Result<int> RunShell(const SqlFlags& flags, Interrupts& interrupts) {
  SqlSession session(flags);
  RETURN_IF_ERROR(session.LoadCatalogs());
  if (flags.file.empty() && flags.statements.empty() && ::isatty(STDIN_FILENO) == 1) {
    const auto lines = ReadLinesOfTerminal(flags.history_file, interrupts.WatchIdle());
    return SqlShell("sql", *lines, session, interrupts).Run();
  }
  if (!flags.file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadSqlFile(flags.file));
    std::istringstream in(text);
    return SqlShell(flags.file, *ReadLinesOf(in), session, interrupts).Run();
  }
  if (!flags.statements.empty()) {
    std::istringstream in(flags.statements);
    return SqlShell("sql", *ReadLinesOf(in), session, interrupts).Run();
  }
  return SqlShell("stdin", *ReadLinesOf(std::cin), session, interrupts).Run();
}

}  // namespace

int Sql(const SqlFlags& flags) {
  Interrupts interrupts;
  const Result<int> exit_code = RunShell(flags, interrupts);
  return exit_code.ok() ? *exit_code : ExitCodeOf(exit_code.error());
}

}  // namespace slipstream::processor
