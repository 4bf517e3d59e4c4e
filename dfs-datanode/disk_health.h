#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "common/clock/clock.h"
#include "common/status/status.h"

namespace slipstream::datanode {

// DiskHealth: judges a disk by what happens on it. It is given up for good when it fails its probes
// one after the other, or when too many different files on it fail within a short time: one bad
// sector is the matter of one replica, not of the disk. Threads: not thread-safe.
class DiskHealth final {
 public:
  struct Options {
    int failed_probes_max = 3;
    size_t failed_files_max = 10;
    std::chrono::milliseconds window{60'000};  // within which so many files failed
    // From one probe to the next while there is nothing to suspect; each writes and syncs a
    // file.
    std::chrono::milliseconds probe_interval{60'000};
  };

  explicit DiskHealth(const Options& options) : options_(options) {}

  // An operation on a file failed in a way that speaks against the disk.
  void NoteError(const std::string& path, const Status& error, SteadyTime now);
  void NoteProbe(const Status& status, SteadyTime now);

  // Whether it should be probed now: time has come, or something failed since the last good
  // probe.
  bool is_probe_due(SteadyTime now) const { return is_suspect_ || now >= next_probe_; }
  // Something failed since the last good probe: better to write elsewhere.
  bool is_suspect() const { return is_suspect_; }
  // Why it is given up; empty: it is not.
  const std::string& failure() const { return failure_; }

 private:
  const Options options_;
  std::map<std::string, SteadyTime> failed_files_;  // → when last
  int failed_probes_ = 0;
  bool is_suspect_ = false;
  SteadyTime next_probe_{};
  std::string failure_;
};

}  // namespace slipstream::datanode
