#pragma once

#include <chrono>
#include <string>

#include "common/clock/clock.h"
#include "gateway/api/state_board.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::api {

// EventSource: what the board shows, as server-sent events "cluster", "datanodes", "jobs" and
// "tasks", again whenever it is asked; the server asks once in kPeriod. It has no end.
// Ownership  borrows board and clock.
class EventSource final : public http::BodySource {
 public:
  static constexpr std::chrono::milliseconds kPeriod{1'000};
  static constexpr uint64_t kMemoryBytes = 1ULL << 20;

  EventSource(const StateBoard& board, const Clock& clock) : board_(board), clock_(clock) {}

  Result<std::string> Next() override;

 private:
  const StateBoard& board_;
  const Clock& clock_;
};

// The documents of the board, as of now.
Result<std::string> ClusterNow(const StateBoard& board, const Clock& clock);
Result<std::string> DatanodesNow(const StateBoard& board, const Clock& clock);
Result<std::string> JobsNow(const StateBoard& board, const Clock& clock);
Result<std::string> TasksNow(const StateBoard& board);

}  // namespace slipstream::gateway::api
