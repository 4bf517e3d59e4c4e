#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {

// TestNetwork: hosts of a network of their own, which a test cuts off from one another. Each host
// is a network namespace, joined by a cable to this process, which moves into a namespace, too, and
// routes between them; nothing of it is seen outside, and the kernel takes it away with the
// process.
//
//   host 0 (10.77.0.2) ──┐
//   host 1 (10.77.1.2) ──┼── this process: 10.77.x.1
//   …                  ──┘
//
// A cut drops packets without a word, as a pulled cable does.
// Needs     root. Make it first of all in the process: threads that are there already stay in the
//           old network.
// Threads   not thread-safe.
class TestNetwork final {
 public:
  // Why there can be none here; empty: there can.
  static std::string WhyUnavailable();
  static Result<std::unique_ptr<TestNetwork>> Make(int hosts);
  ~TestNetwork();
  TestNetwork(const TestNetwork&) = delete;
  TestNetwork& operator=(const TestNetwork&) = delete;

  int host_count() const { return static_cast<int>(holders_.size()); }
  // The IP address of a host.
  std::string address(int host) const;
  // What goes before a command line to run it on a host.
  std::vector<std::string> CommandPrefix(int host) const;

  // Packets from one host to another are lost, and no others.
  Status Cut(int from, int to);
  // Both ways.
  Status CutBetween(int host, int other);
  // Packets from this process to the host are lost.
  Status CutFromHere(int host);
  // All cuts are over.
  Status Heal();

 private:
  TestNetwork() = default;
  Status AddHost(int host);
  Status AddRule(std::vector<std::string> rule);

  TempDir logs_{"network"};
  std::vector<std::unique_ptr<Process>> holders_;  // each keeps a namespace alive
  std::vector<std::vector<std::string>> rules_;
};

}  // namespace slipstream::test_support
