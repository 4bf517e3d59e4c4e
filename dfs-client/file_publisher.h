#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class MasterClient;
class RandomIds;

// FilePublisher: makes new files whose blocks are durable visible, in the name of writers of its
// own ("client/<random>"). A writer costs the master a durable change before its first file, so
// those that have done their work wait here for the next.
//
// Writers    each publishes one set of files at a time, every set under an epoch of its own, which
//            is used up whatever comes of it: no (epoch, incarnation) ever has two contents. One
//            is used again only after an answer that says what became of its files, and only while
//            its lease has more than half to go. Others are left to their leases, and so are all
//            when the client ends.
// Ownership  borrows everything.
// Threads    thread-safe.
// Blocking   up to the master connection's timeout.
class FilePublisher final {
 public:
  static constexpr size_t kIdleWritersMax = 16;
  static constexpr std::chrono::milliseconds kLease{60'000};

  FilePublisher(MasterClient& master, RandomIds& ids, const Clock& clock);

  FilePublisher(const FilePublisher&) = delete;
  FilePublisher& operator=(const FilePublisher&) = delete;

  // All of `files` become visible in one step, or none. After kUnavailable, kDeadlineExceeded or
  // kCancelled either may be. Other errors: as those of Prepare in proto/dfs_master.proto.
  Status Publish(std::vector<FileAppend> files);

 private:
  struct Writer {
    std::string owner;
    uint64_t incarnation = 0;
    uint64_t last_epoch = 0;  // that it used
    SteadyTime heard_at;      // the master has heard of it since
  };

  // One that is idle, or a new one.
  Result<Writer> Take();
  void GiveBack(Writer writer);
  // After kAborted for a writer that was idle before: its lease was over although it seemed not to
  // be, or an operator has ended it. Neither was meant for these files.
  Status PublishAnew(Writer& writer, AppenderEpoch& epoch);

  MasterClient& master_;
  RandomIds& ids_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<Writer> idle_ GUARDED_BY(mutex_);  // the longest idle first
};

}  // namespace slipstream::dfs
