#pragma once

#include <chrono>
#include <string>

#include "common/status/status.h"
#include "dfs-client/cli/session.h"

namespace slipstream::dfs::cli {

// Trash: where `rm` moves what it removes, /user/<you>/.Trash, when the master keeps a trash.
//
// Layout   Current/<path as it was>, and checkpoints <yyMMddHHmmss> (UTC): what was Current when
//          the master's emptier, or `expunge`, came by. The emptier deletes old checkpoints.
// Messages on stderr, as the log lines of Hadoop that scripts look for.
// Threads  not thread-safe.
class Trash final {
 public:
  explicit Trash(Session& session);

  // Asks the master once.
  Result<bool> IsOn();

  // Moves `item` away; false if it has to be deleted instead: it lies in the trash already.
  Result<bool> Take(const Item& item);

  // Deletes the checkpoints older than the master's interval; with `all`, whatever their age.
  Status DeleteCheckpoints(bool all);
  // Makes a checkpoint of what is in Current.
  Status MakeCheckpoint();

 private:
  Result<std::chrono::milliseconds> Interval();
  Result<std::string> PlaceFor(const std::string& path);
  Status MakePlaceOfHomes();
  void Log(const std::string& text);

  Session& session_;
  const std::string root_;
  const std::string current_;
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace slipstream::dfs::cli
