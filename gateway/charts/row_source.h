#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "gateway/charts/chart_rows.h"

namespace slipstream::gateway::charts {

// RowSource: the rows of a topic, or of the files below a path, a turn at a time: first those that
// are there, then what comes.
// Threads  not thread-safe. Blocking: ReadOn, for a second or so.
class RowSource {
 public:
  struct Progress {
    uint64_t rows = 0;      // given in this turn
    bool is_at_end = true;  // of what was there
    // What was read before is not what is there now: a file was cut or replaced. All of it is to be
    // forgotten; the next turn begins at the beginning.
    bool must_forget = false;
  };
  using Take = std::function<void(const SourceRow& row)>;

  virtual ~RowSource() = default;
  // kNotFound: there is no such topic or path (yet).
  virtual Result<Progress> ReadOn(const Take& take) = 0;
};

}  // namespace slipstream::gateway::charts
