#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/tree_keeper.h"

namespace slipstream::dfs {
class DfsClient;
}

namespace slipstream::simulation {

// FileUser: somebody who makes, moves, cuts, joins and deletes files below a directory of his own,
// one operation after the other, and knows at every moment what must be there (TreeKeeper); and who
// reads everybody's files while they do the same. Some of his programs are killed in the middle.
// Ownership  borrows the stage.
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
  void CheckAll() { keeper_.CheckAll(); }

 private:
  // A process and what it reaches the file system by.
  struct Program {
    Program(Stage& stage, const std::string& name);

    Process process;
    const std::unique_ptr<dfs::DfsClient> client;
  };

  void Run();
  void Step();
  void Act();
  // From here to the end of the step a program acts that is killed before long.
  void StartDoomed();
  void MakeFile();
  void DeleteSomething();
  void RenameSomething();
  void TruncateSomething();
  void ConcatSomething();
  void SetSomething();
  void SetQuota();
  void Append();
  void Squat();
  void Read();
  Status Put(const std::string& path, const std::string& content, bool replace);
  const TreeModel& tree() const { return keeper_.tree(); }
  // Of whichever program acts.
  dfs::DfsClient& acting() { return doomed_ == nullptr ? *client_ : *doomed_->client; }
  std::string SomePath();
  std::string SomeFile();

  Stage& stage_;
  const std::string name_;
  const std::string root_;
  Random random_;
  Process process_;
  std::unique_ptr<dfs::DfsClient> client_;
  TreeKeeper keeper_;
  std::vector<std::unique_ptr<Program>> programs_;  // that were killed, or will be
  Program* doomed_ = nullptr;
  bool has_ended_ = false;
};

}  // namespace slipstream::simulation
