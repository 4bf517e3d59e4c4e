#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "common/rpc/transport.h"
#include "common/status/status.h"
#include "tests/simulation/scheduler.h"

namespace slipstream::simulation {

// What one call is on its way, seen from both ends. Messages are bytes here.
struct CallState;

// ServerCall: a call, to whoever answers it. Lives in a fiber of the server's process.
class ServerCall final {
 public:
  ServerCall(Scheduler& scheduler, std::shared_ptr<CallState> state)
      : scheduler_(scheduler), state_(std::move(state)) {}

  std::string_view method() const;
  SteadyTime deadline() const;
  // Triggered when the caller has cancelled, is gone, or gave up.
  std::stop_token stop() const;
  // The next message of the caller's; false when there are no more, or the call is broken.
  bool Receive(std::string& message);
  // A message of a response stream. False when nobody listens any more.
  bool Send(std::string message);

 private:
  Scheduler& scheduler_;
  std::shared_ptr<CallState> state_;
};

// Service: what listens at an address. The response is empty where it was streamed.
class Service {
 public:
  virtual ~Service() = default;
  virtual Result<std::string> Handle(ServerCall& call) = 0;
};

// Network: what carries calls between simulated machines, and what it does to them.
//
// Every message takes a time of its own, so that messages of different calls overtake one another.
// A lost message breaks its call, as a lost connection does: the caller finds out at once, after a
// while, or at its deadline, and so does the server. What was sent to a process never reaches the
// one that comes after it. Nothing is carried out twice but what Faults says, and what clients send
// again.
// Ownership  borrows the scheduler; services are borrowed until they are withdrawn.
class Network final {
 public:
  struct Faults {
    uint64_t loss_per_mille = 0;         // of a message
    uint64_t duplication_per_mille = 0;  // of a call with one message: carried out twice
    Micros delay_max{800};
    uint64_t spike_per_mille = 0;  // of messages that take up to `spike_max`
    Micros spike_max{0};

    // Whether it does its work, with a message lost now and then.
    bool is_fair() const { return loss_per_mille <= 20 && spike_per_mille == 0; }
  };
  // Late messages are dropped past this: what a client may not know about is settled then.
  static constexpr Micros kMessageLifeMax{15'000'000};

  Network(Scheduler& scheduler, Random random);

  void Listen(const std::string& address, Process& process, Service& service);
  void Withdraw(const std::string& address);

  void SetFaults(const Faults& faults);
  // One way; hosts by name.
  void Cut(const std::string& source, const std::string& target);
  void HealAll();
  bool IsReachable(const std::string& source, const std::string& target) const {
    return !cuts_.contains({source, target}) && !cuts_.contains({target, source});
  }
  // Whether neither way was cut at any moment since then.
  bool HasBeenReachable(const std::string& source, const std::string& target, Micros since) const;
  // Whether the faults were fair ones all the time since then.
  bool HasBeenFair(Micros since) const { return faults_.is_fair() && unfair_until_ < since; }

  // The transport of a process on a machine.
  std::shared_ptr<rpc::Transport> TransportOf(Process& process, const std::string& host);

  uint64_t calls() const { return next_call_; }

 private:
  friend class ServerCall;
  friend class SimulatedCall;
  struct Listener {
    Process* process = nullptr;
    Service* service = nullptr;
    uint64_t life = 0;  // of the process: another one has another number
  };

  // ---- What a call's client end does ----

  std::shared_ptr<CallState> Open(Process& process,
                                  const std::string& host,
                                  const std::string& address,
                                  std::string_view method,
                                  const rpc::CallOptions& options);
  using Message = std::optional<std::string>;  // none: only the end of a stream
  void ToServer(const std::shared_ptr<CallState>& call, Message message, bool is_last);
  void Cancel(const std::shared_ptr<CallState>& call);

  // ---- On the way ----

  void Arrive(const std::shared_ptr<CallState>& call, Message message, bool is_last);
  bool Begin(const std::shared_ptr<CallState>& call);
  void Answer(const std::shared_ptr<CallState>& call, Status status, std::string response);
  // The client learns that its connection is gone, sooner or later.
  void Break(const std::shared_ptr<CallState>& call, const std::string& why);
  void Duplicate(const std::shared_ptr<CallState>& call, const std::string& message);
  // The life that listens there; 0: nobody.
  uint64_t LifeAt(const std::string& address) const;
  Micros Delay();
  bool IsLost(const std::string& source, const std::string& target);

  Scheduler& scheduler_;
  Random random_;
  Faults faults_;
  Micros unfair_until_{-1};
  std::set<std::pair<std::string, std::string>> cuts_;
  std::map<std::pair<std::string, std::string>, Micros> healed_at_;  // of those that were cut
  std::map<std::string, Listener> listeners_;
  uint64_t next_call_ = 1;
  uint64_t next_life_ = 1;
};

// The machine of an address.
std::string HostOf(const std::string& address);

}  // namespace slipstream::simulation
