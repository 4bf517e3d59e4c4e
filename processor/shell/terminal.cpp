#include "processor/shell/terminal.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <filesystem>
#include <system_error>

#include <histedit.h>

namespace slipstream::processor {
namespace {

constexpr int kHistoryLinesMax = 1'000;

struct EndEditLine {
  void operator()(EditLine* editor) const { ::el_end(editor); }
};
struct EndHistory {
  void operator()(History* history) const { ::history_end(history); }
};

bool IsBlank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

class TerminalReader final : public LineReader {
 public:
  TerminalReader(std::string history_file, int interrupt_fd)
      : interrupt_fd_(interrupt_fd), history_file_(std::move(history_file)) {
    // What is typed is UTF-8 whatever the environment says; only the classes of characters matter.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
      std::setlocale(LC_CTYPE, "C.UTF-8");
    HistEvent event = {};
    ::history(history_.get(), &event, H_SETSIZE, kHistoryLinesMax);
    ::history(history_.get(), &event, H_SETUNIQUE, 1);
    if (!history_file_.empty()) {
      ::history(history_.get(), &event, H_LOAD, history_file_.c_str());
    }
    ::el_set(editor_.get(), EL_CLIENTDATA, this);
    ::el_set(editor_.get(), EL_PROMPT, &TerminalReader::Prompt);
    ::el_set(editor_.get(), EL_EDITOR, "emacs");
    ::el_set(editor_.get(), EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_set(editor_.get(), EL_HIST, ::history, history_.get());
    ::el_set(editor_.get(), EL_GETCFN, &TerminalReader::GetCharacter);
    ::el_source(editor_.get(), nullptr);
  }

  ~TerminalReader() override {
    if (history_file_.empty()) return;
    std::error_code ignored;  // a history that cannot be kept is no reason to fail
    const std::filesystem::path file(history_file_);
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
    HistEvent event = {};
    ::history(history_.get(), &event, H_SAVE, history_file_.c_str());
  }
  TerminalReader(const TerminalReader&) = delete;
  TerminalReader& operator=(const TerminalReader&) = delete;

  Line Read(const std::string& prompt) override {
    prompt_ = prompt;
    is_interrupted_ = false;
    int count = 0;
    // Before the prompt, not behind it: what is typed upon that is nobody else's to interpret.
    ::el_set(editor_.get(), EL_PREP_TERM, 1);
    const char* const text = ::el_gets(editor_.get(), &count);
    if (is_interrupted_) {
      std::fputs("^C\n", stdout);
      std::fflush(stdout);
      return {.kind = Line::Kind::kInterrupted, .text = ""};
    }
    if (text == nullptr || count <= 0) {
      std::fputs("\n", stdout);
      return {};
    }
    Line line{.kind = Line::Kind::kText, .text = std::string(text, static_cast<size_t>(count))};
    HistEvent event = {};
    if (!IsBlank(line.text)) ::history(history_.get(), &event, H_ENTER, line.text.c_str());
    return line;
  }

  bool is_interactive() const override { return true; }

 private:
  static TerminalReader& Of(EditLine* editor) {
    void* reader = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &reader);
    return *static_cast<TerminalReader*>(reader);
  }

  static char* Prompt(EditLine* editor) { return Of(editor).prompt_.data(); }

  // Called by libedit for each character: 1 and the character, 0 at the end, -1 when there is none.
  static int GetCharacter(EditLine* editor, wchar_t* character) {
    return Of(editor).ReadCharacter(*character);
  }

  int ReadCharacter(wchar_t& character) {
    std::mbstate_t state = {};
    for (;;) {
      if (!WaitForInput()) {
        errno = EINTR;
        return -1;
      }
      char byte = 0;
      const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return static_cast<int>(got);
      const size_t used = std::mbrtowc(&character, &byte, 1, &state);
      if (used == static_cast<size_t>(-2)) continue;  // there is more of it
      if (used == static_cast<size_t>(-1)) {
        state = {};
        continue;  // no character: as if it had not been typed
      }
      return 1;
    }
  }

  // False: interrupted.
  bool WaitForInput() {
    std::array<pollfd, 2> waited = {pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                    pollfd{.fd = interrupt_fd_, .events = POLLIN, .revents = 0}};
    while (::poll(waited.data(), waited.size(), -1) < 0) {
    }
    is_interrupted_ = waited[1].revents != 0;
    return !is_interrupted_;
  }

  const int interrupt_fd_;
  const std::string history_file_;
  std::string prompt_;
  bool is_interrupted_ = false;
  std::unique_ptr<History, EndHistory> history_{::history_init()};
  std::unique_ptr<EditLine, EndEditLine> editor_{::el_init("slipstream", stdin, stdout, stderr)};
};

}  // namespace

std::unique_ptr<LineReader> ReadLinesOfTerminal(const std::string& history_file, int interrupt_fd) {
  return std::make_unique<TerminalReader>(history_file, interrupt_fd);
}

}  // namespace slipstream::processor
