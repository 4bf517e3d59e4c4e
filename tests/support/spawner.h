#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// What the new process is: every member is set. Paths are absolute.
struct SpawnRequest {
  std::vector<std::string> argv;  // argv[0] is the program's path
  std::vector<std::string> environment;
  std::string working_directory;
  std::string stdin_path;
  std::string stdout_path;  // appended to; made if missing
  std::string stderr_path;
};

// Starts a process that the kernel kills when this one dies, however that comes about, so that a
// crashed or timed-out test leaves nothing running.
//
// Threads: thread-safe. The kernel ties the child to the *thread* that forked; so all forks are
// made by one thread that lives as long as the process.
Result<pid_t> Spawn(const SpawnRequest& request);

}  // namespace slipstream::test_support
