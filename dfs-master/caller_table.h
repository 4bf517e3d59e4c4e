#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "dfs-master/caller.h"

namespace slipstream::dfs::master {

// CallerTable: callers by the names that they say, with the groups that this machine knows them in
// (getgrouplist); whoever it does not know is in none.
//
// Ownership  borrows the clock.
// Threads    thread-safe.
// Blocking   where a name is new, or was looked up more than five minutes ago, for as long as the
//            machine takes to name its groups: files of its disk, or a directory service.
class CallerTable final {
 public:
  struct Options {
    // False: everybody may do everything.
    bool is_checking = true;
    // Both kinds may do everything.
    std::vector<std::string> superusers;
    std::string supergroup;
  };
  // So many names are remembered.
  static constexpr size_t kNamesMax = 10'000;

  CallerTable(Options options, const Clock& clock);

  // Shared with the table, which may forget it. A name that is no owner's (path.h) is nobody's.
  std::shared_ptr<const Caller> Find(std::string_view user);

 private:
  struct Entry {
    std::shared_ptr<const Caller> caller;
    SteadyTime known_since;
  };

  std::shared_ptr<const Caller> LookUp(std::string_view user) const;

  const Options options_;
  const Clock& clock_;
  const std::shared_ptr<const Caller> process_;
  Mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs::master
