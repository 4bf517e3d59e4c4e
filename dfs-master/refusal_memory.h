#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::dfs::master {

// RefusalMemory: the requests that were refused of late, with why. A copy of one that comes late,
// after its client has been told no and has gone on, must not be carried out because the name that
// was missing is there by now. In memory only: a copy cannot outlive the connection it came by, nor
// that this process. Bounded; the oldest go first.
// Threads: none; under the master's lock.
class RefusalMemory final {
 public:
  static constexpr size_t kRefusalsMax = 50'000;

  // OK never: nullopt where the request was not refused. An empty id never was.
  std::optional<Status> Find(std::string_view request_id) const;
  // Only what was refused for good: kUnavailable is an answer to "not now", and is tried again.
  void Remember(std::string_view request_id, const Status& refusal);

 private:
  std::map<std::string, Status, std::less<>> refusals_;
  std::deque<std::string> oldest_first_;
};

}  // namespace slipstream::dfs::master
