#pragma once

#include <cstdint>
#include <string>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs::cli {

// ProgressBar: how far a long copy is, of one file or many, on one line of stderr; nothing where
// that is no terminal, and nothing for copies of less than a second. Gone again when the object is.
// Threads: thread-safe.
class ProgressBar final {
 public:
  // `bytes_total` 0: unknown.
  explicit ProgressBar(std::string label, uint64_t bytes_total = 0);
  ~ProgressBar();

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // More to copy: another file called `label`.
  void Expect(const std::string& label, uint64_t bytes);
  void Add(uint64_t bytes);
  // Takes the line away, for a message; it comes again with the next Add().
  void Clear();

 private:
  void Draw(SteadyTime now) REQUIRES(mutex_);

  const bool is_terminal_;
  const SteadyTime started_;
  Mutex mutex_;
  std::string label_ GUARDED_BY(mutex_);
  uint64_t bytes_total_ GUARDED_BY(mutex_);
  SteadyTime next_draw_ GUARDED_BY(mutex_);
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  bool is_drawn_ GUARDED_BY(mutex_) = false;
};

}  // namespace slipstream::dfs::cli
