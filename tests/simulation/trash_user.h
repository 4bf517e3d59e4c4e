#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"

namespace slipstream::dfs {
class DfsClient;
}

namespace slipstream::simulation {

// TrashUser: somebody who removes files as `rm` does with a trash: by moving them into it. What he
// removed is there for an interval and gone after two, whatever else happens; but where the
// master's wall clock jumps, which the trash goes by, no more is said than that nothing else is
// lost.
// Ownership  borrows the stage.
class TrashUser final {
 public:
  static constexpr std::chrono::seconds kInterval{20};

  explicit TrashUser(Stage& stage);
  ~TrashUser();

  // Runs in a fiber until the stage is closed, and the trash is empty after it.
  void Start();
  bool has_ended() const { return has_ended_; }
  void Stop() {
    process_.Kill([] {});
  }

 private:
  struct Removed {
    Micros at{0};  // at the earliest
    Content content;
  };

  void Run();
  void RemoveSomething();
  // What was removed less than an interval ago.
  void LookForOne();
  // Below Current, or a checkpoint.
  Result<Content> Find(const std::string& name);
  Result<Content> Read(const std::string& path);
  void AwaitEmpty();
  void Pause();

  Stage& stage_;
  Random random_;
  Process process_;
  const std::unique_ptr<dfs::DfsClient> client_;
  std::map<std::string, Removed> removed_;  // by name
  int files_ = 0;
  bool has_ended_ = false;
};

}  // namespace slipstream::simulation
