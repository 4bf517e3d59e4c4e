#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/tree_model.h"

namespace slipstream::dfs {
class DfsClient;
class FileReader;
}  // namespace slipstream::dfs

namespace slipstream::simulation {

// TreeKeeper: what a user knows of a directory that only he changes: a TreeModel that goes with
// what the file system answers.
//
// An operation whose outcome he is not told has happened or has not: he waits until no message of
// it can be on the way any more, looks, and goes on from what he finds.
// Ownership  borrows the stage, and the client that looks; operations may be another's.
class TreeKeeper final {
 public:
  using Change = std::function<bool(TreeModel&)>;

  TreeKeeper(Stage& stage,
             const std::string& name,
             const std::string& root,
             dfs::DfsClient& client);

  const TreeModel& tree() const { return tree_; }

  // Carries out `change` on the model as `operation` does in the file system. Whether it succeeded
  // at once.
  bool Do(const std::string& what, const Change& change, const std::function<Status()>& operation);
  // The time of a file may have been set by something that is no change.
  void Touch(const std::string& path) { tree_.Touch(path); }

  // A file may be open, with nobody who writes it, until the lease is over.
  void LeaveToLease();
  // Whether an operation that began then may be told kFailedPrecondition.
  bool MayBeRefused(Micros began) const;

  // In a fiber: the directory lists what must be there.
  void List();
  // Likewise, and every file holds what it must. For the end, when nothing is broken.
  void CheckAll();

 private:
  // What is under a path.
  struct Seen {
    std::optional<dfs::FileStatus> status;  // absent: nothing
    Content content;                        // of a file
  };

  // After an uncertain outcome: whether it happened.
  void Settle(const std::string& what, const TreeModel& after);
  // What is under `path` now; asks until there is an answer.
  std::optional<Seen> Look(const std::string& path);
  static bool IsAs(const TreeModel& tree, const std::string& path, const Seen& seen);
  void Publish(const TreeModel* other);

  Stage& stage_;
  const std::string name_;
  const std::string root_;
  dfs::DfsClient& client_;
  TreeModel tree_;
  Micros has_left_file_until_{-1};
};

// For people: how much, and how it begins.
std::string Describe(const Content& content);

// All that is left to be read.
Result<std::string> ReadAll(dfs::FileReader& reader);

}  // namespace slipstream::simulation
