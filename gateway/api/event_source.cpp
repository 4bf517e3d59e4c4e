#include "gateway/api/event_source.h"

#include "gateway/api/documents.h"

namespace slipstream::gateway::api {
namespace {

int64_t WallMs(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.WallNow().time_since_epoch())
      .count();
}

Result<StateBoard::Cluster> Known(const StateBoard& board) {
  std::optional<StateBoard::Cluster> cluster = board.cluster();
  if (!cluster.has_value()) return Unavailable("the master has not answered yet");
  return std::move(*cluster);
}

// JSON has no line breaks of its own, so it is one line of data.
void AddEvent(std::string& text, const char* name, const Result<std::string>& document) {
  if (!document.ok()) return;
  text += std::string("event: ") + name + "\ndata: " + *document + "\n\n";
}

}  // namespace

Result<std::string> ClusterNow(const StateBoard& board, const Clock& clock) {
  ASSIGN_OR_RETURN(const StateBoard::Cluster cluster, Known(board));
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now() - cluster.heard_at);
  return ClusterText(cluster.state, age.count());
}

Result<std::string> DatanodesNow(const StateBoard& board, const Clock& clock) {
  ASSIGN_OR_RETURN(const StateBoard::Cluster cluster, Known(board));
  return DatanodesText(cluster.state, WallMs(clock));
}

Result<std::string> JobsNow(const StateBoard& board, const Clock& clock) {
  RETURN_IF_ERROR(board.jobs_health());
  return JobsText(board.workers(), board.descriptions(), WallMs(clock));
}

Result<std::string> TasksNow(const StateBoard& board) {
  RETURN_IF_ERROR(board.jobs_health());
  return TasksText(board.workers());
}

Result<std::string> EventSource::Next() {
  std::string text;
  AddEvent(text, "cluster", ClusterNow(board_, clock_));
  AddEvent(text, "datanodes", DatanodesNow(board_, clock_));
  AddEvent(text, "jobs", JobsNow(board_, clock_));
  AddEvent(text, "tasks", TasksNow(board_));
  // Something must be sent, for the connection's sake: a comment.
  if (text.empty()) text = ": nothing is known yet\n\n";
  return text;
}

}  // namespace slipstream::gateway::api
