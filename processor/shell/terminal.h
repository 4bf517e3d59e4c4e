#pragma once

#include <memory>
#include <string>

#include "processor/shell/line_reader.h"

namespace slipstream::processor {

// Lines that a person types at the terminal which is stdin and stdout: with editing as ~/.editrc
// says (Emacs keys by default), and a history kept in `history_file` over sessions (empty: only in
// this one). Ctrl-D at an empty line ends the text. While a line is read, `interrupt_fd` becoming
// readable takes it back; whoever made it readable clears it.
std::unique_ptr<LineReader> ReadLinesOfTerminal(const std::string& history_file, int interrupt_fd);

}  // namespace slipstream::processor
