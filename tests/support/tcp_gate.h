#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// TcpGate: a way to a port of this machine that a test can shut: what goes to port() comes out at
// the target while it is open. Needs no privileges, unlike TestNetwork.
//
// Threads   thread-safe; one of its own carries the bytes.
class TcpGate final {
 public:
  // Open, on a port of 127.0.0.1 that the kernel gives. Nobody need listen at the target yet.
  static Result<std::unique_ptr<TcpGate>> Start(uint16_t target_port);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  uint16_t port() const { return port_; }
  // From its return on nothing gets through: all connections are cut, new ones are at once.
  void Shut();
  void Open() { is_open_ = true; }

 private:
  struct Connection {
    int near = -1;
    int far = -1;
  };

  TcpGate(int listener, uint16_t port, uint16_t target_port);
  void Run(const std::stop_token& stop);
  void Accept();
  void CutAll();

  const int listener_;
  const uint16_t port_;
  const uint16_t target_port_;
  std::atomic<bool> is_open_ = true;
  std::atomic<bool> is_cut_ = false;     // the thread has seen that it is shut
  std::vector<Connection> connections_;  // the thread's
  std::jthread thread_;
};

}  // namespace slipstream::test_support
