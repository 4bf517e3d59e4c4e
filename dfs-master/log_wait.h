#pragma once

#include <cstdint>
#include <string_view>

namespace slipstream::dfs::master {

// LogWait: how far the master's log has to be durable before an answer may be given.
//
// A request to the Master returns when that is so, which costs a blocked thread for each request.
// While a LogWait stands in the calling thread, requests return at once instead and leave in it
// what is still to be waited for (Master::AwaitLog); then one thread waits for all. An answer that
// is given earlier may be lost in a crash: whoever makes a LogWait owes the wait.
//
//   LogWait wait;
//   Result<…> answer = master.MakeDirectory(…);
//   … later, in any thread: status = master.AwaitLog(wait.position()); then answer.
//
// Threads: of the thread that made it, and of the scope it was made in; they do not nest.
class LogWait final {
 public:
  LogWait();
  ~LogWait();
  LogWait(const LogWait&) = delete;
  LogWait& operator=(const LogWait&) = delete;

  // 0: nothing was asked of the log.
  uint64_t position() const { return position_; }
  // Of the last change, as its failpoints name it; lives as long as the program. Empty: none.
  std::string_view operation() const { return operation_; }

  // The one that stands in this thread, or null.
  static LogWait* Current();
  void Note(uint64_t position) { position_ = position > position_ ? position : position_; }
  void NoteOperation(std::string_view operation) { operation_ = operation; }

 private:
  uint64_t position_ = 0;
  std::string_view operation_;
};

}  // namespace slipstream::dfs::master
