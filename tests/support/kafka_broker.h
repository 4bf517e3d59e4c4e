#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/status/status.h"
#include "tests/support/process.h"

namespace slipstream::test_support {

// KafkaBroker: a real, single-node Kafka (deploy/kafka), listening on 127.0.0.1 alone, with its
// data in a folder of its own. Starting takes about a second; the first time on a machine its jars
// are fetched, which takes longer.
// Threads      not thread-safe.
class KafkaBroker final {
 public:
  // Starts one and waits until it answers. `dir` keeps its data.
  static Result<std::unique_ptr<KafkaBroker>> Start(std::filesystem::path dir);
  // The same with these lines behind its server.properties, where the listener that clients use is
  // called PLAINTEXT.
  static Result<std::unique_ptr<KafkaBroker>> StartWith(std::filesystem::path dir,
                                                        const std::string& properties);

  // The broker that all tests of this binary share, started by the first that asks and stopped at
  // exit. Ends the test binary if it cannot be started. Tests must use topic names, groups and
  // transactional ids of their own, and must not stop it.
  static KafkaBroker& Shared();

  // HOST:PORT; the same after a restart.
  const std::string& bootstrap() const { return bootstrap_; }
  // For signals (SIGSTOP, SIGCONT) and output.
  Process& process() { return *process_; }

  // Stops cleanly, as a rolling restart does.
  Status Stop();
  // kill -9.
  void Kill() { process_->Kill(); }
  // Starts it again over its data, after Stop or Kill; waits until it answers. After a Kill this
  // takes some seconds: the new one waits until the old one counts as gone.
  Status Restart();

 private:
  KafkaBroker(std::filesystem::path dir, std::unique_ptr<Process> process, std::string bootstrap);

  const std::filesystem::path dir_;
  std::unique_ptr<Process> process_;
  const std::string bootstrap_;
};

}  // namespace slipstream::test_support
