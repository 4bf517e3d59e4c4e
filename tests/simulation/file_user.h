#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/tree_model.h"

namespace slipstream::dfs {
class DfsClient;
class FileReader;
}  // namespace slipstream::dfs

namespace slipstream::simulation {

// FileUser: somebody who makes, moves, cuts, joins and deletes files below a directory of his own,
// one operation after the other, and knows at every moment what must be there; and who reads
// everybody's files while they do the same.
//
// An operation whose outcome he is not told has happened or has not: he waits until no message of
// it can be on the way any more, looks, and goes on from what he finds. Ownership  borrows the
// stage.
class FileUser final {
 public:
  FileUser(Stage& stage, const std::string& name);
  ~FileUser();

  // Runs in fibers until the stage is closed.
  void Start();
  bool has_ended() const { return has_ended_; }
  void Stop() {
    process_.Kill([] {});
  }

  // In a fiber: what is there is what must be there. For the end, when nothing is broken.
  void CheckAll();

 private:
  using Change = std::function<bool(TreeModel&)>;

  void Run();
  void Step();
  void MakeFile();
  void DeleteSomething();
  void RenameSomething();
  void TruncateSomething();
  void ConcatSomething();
  void SetSomething();
  void Append();
  void Squat();
  void Read();
  void List();

  // A file may be open, with nobody who writes it, until the lease is over.
  void LeaveToLease();

  // Carries out `change` on the model as `operation` does in the file system. Whether it succeeded
  // at once.
  bool Do(const std::string& what, const Change& change, const std::function<Status()>& operation);
  // After an uncertain outcome: whether it happened.
  void Settle(const std::string& what, const TreeModel& after);
  // What is under a path.
  struct Seen {
    std::optional<dfs::FileStatus> status;  // absent: nothing
    Content content;                        // of a file
  };
  // What is under `path` now; asks until there is an answer.
  std::optional<Seen> Look(const std::string& path);
  static bool IsAs(const TreeModel& tree, const std::string& path, const Seen& seen);
  void Publish(const TreeModel* other);

  Status Put(const std::string& path, const std::string& content, bool replace);
  Result<std::string> ReadAll(dfs::FileReader& reader);
  std::string SomePath();
  std::string SomeFile();

  Stage& stage_;
  const std::string name_;
  const std::string root_;
  Random random_;
  Process process_;
  std::unique_ptr<dfs::DfsClient> client_;
  TreeModel tree_;
  Micros has_left_file_until_{-1};
  bool has_ended_ = false;
};

}  // namespace slipstream::simulation
