#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/progress_bar.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs::cli {

class Session;

// How a copy failed; an empty `shown`: the status's message is the whole text.
struct CopyFailure {
  std::string shown;
  Status status;
};
// Of one copy: none if it succeeded; several if it was of many files.
using CopyFailures = std::vector<CopyFailure>;
CopyFailures FailureOf(const std::string& shown, const Status& status);

// CopyPool: copies files side by side, and says what failed in the order in which they were added,
// so that messages do not depend on threads.
//
// Bound    kQueuedMax copies wait or run; Add() blocks beyond that.
// Threads  not thread-safe: one thread adds and finishes. With one thread the copies run inside
//          Add().
class CopyPool final {
 public:
  using Copy = std::function<CopyFailures()>;

  static constexpr size_t kThreadsDefault = 4;
  static constexpr size_t kThreadsMax = 64;
  static constexpr size_t kQueuedMax = 1024;

  CopyPool(Session& session, size_t threads);
  ~CopyPool();  // what was not begun is dropped

  CopyPool(const CopyPool&) = delete;
  CopyPool& operator=(const CopyPool&) = delete;

  void Add(Copy copy);
  // A copy that has failed before it began, to be told in its turn.
  void AddFailure(const std::string& shown, const Status& status);
  // For the copies to tell what they have done.
  ProgressBar& progress() { return progress_; }
  // Returns when all copies have. Nothing is begun any more once the master is gone.
  void Finish();

 private:
  void Report(const CopyFailures& failures);
  void ReportFirst();

  Session& session_;
  const size_t threads_;
  ProgressBar progress_;
  std::atomic<bool> is_over_ = false;
  std::deque<std::future<CopyFailures>> running_;
  WorkerPool pool_;  // last: its threads use the above
};

// `-t N` and `-q N` of put, get and cp: how many threads; the queue is as long as it needs to be,
// whatever -q says. kInvalidArgument for what is no number.
Result<size_t> ThreadsAskedFor(const Arguments& arguments);

}  // namespace slipstream::dfs::cli
