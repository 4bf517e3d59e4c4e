#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/runtime/sender_times.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// ExchangeInput: what comes to a task through its stage's repartition topic: rows, which go to the
// program, and the senders' marks, which raise the watermark of each exchange.
//
// Ownership  borrows the program.
// Threads    the task's.
class ExchangeInput final {
 public:
  ExchangeInput(std::vector<ExchangeSenders> exchanges, TaskProgram& program);

  // One record of the topic. kDataLoss: it is none that a sender writes.
  Status Take(std::string_view record, TaskOutput& out);

  // Nothing more will come.
  bool has_ended() const { return times_.is_done(); }
  // All that still send are idle.
  bool is_idle() const;
  size_t sender_count() const { return times_.sender_count(); }

  // What changed since the last call, under keys of its own.
  void SaveChanges(StateWriter& writer);
  Status Restore(std::string_view key, std::string_view value);
  // After all of Restore: tells the program the watermarks.
  void FinishRestore();

 private:
  Status RaiseWatermarks(TaskOutput& out);
  std::optional<size_t> PlaceOf(size_t exchange) const;

  const std::vector<ExchangeSenders> exchanges_;
  TaskProgram& program_;
  SenderTimes times_;
  // By place in exchanges_; they only rise, whatever is heard of later.
  std::vector<EventTimeUs> watermarks_;
  std::vector<EventTimeUs> saved_watermarks_;
};

}  // namespace slipstream::runtime
