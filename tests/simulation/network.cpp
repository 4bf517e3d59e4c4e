#include "tests/simulation/network.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/message_lite.h>

namespace slipstream::simulation {

using google::protobuf::MessageLite;

struct CallState {
  explicit CallState(Scheduler& scheduler) : to_server(scheduler), to_client(scheduler) {}

  uint64_t number = 0;
  std::string method;
  std::string client_host;
  std::string address;
  Network* network = nullptr;
  Micros deadline{0};
  SteadyTime steady_deadline;
  uint64_t life = 0;      // of the server when the call was made; 0: it was not there
  bool is_ghost = false;  // carried out a second time: nobody waits for its answer

  // At the server.
  bool has_begun = false;
  bool is_refused = false;  // by nobody
  bool is_ended_by_client = false;
  bool is_broken = false;
  bool is_severed = false;  // a message was lost: what would come behind it does not either
  std::deque<std::string> requests;
  Signal to_server;
  std::stop_source server_stop;

  // At the client.
  bool is_over = false;
  Status status;
  std::string response;
  std::deque<std::string> responses;
  Signal to_client;

  bool is_whole_sent = false;

  Micros last_arrival_at_server{0};
  Micros last_arrival_at_client{0};
};

namespace {

std::string_view ShortName(std::string_view method) {
  return method.substr(method.rfind('/') + 1);
}

// Messages of one call do not overtake one another.
Micros InOrder(Micros& last, Micros wanted) {
  last = std::max(last + Micros(1), wanted);
  return last;
}

void End(CallState& call, Status status, std::string response) {
  if (call.is_over) return;
  call.is_over = true;
  call.status = std::move(status);
  call.response = std::move(response);
  call.to_client.Notify();
}

}  // namespace

std::string HostOf(const std::string& address) {
  return address.substr(0, address.find(':'));
}

// ---- The server's end ----

std::string_view ServerCall::method() const {
  return state_->method;
}
SteadyTime ServerCall::deadline() const {
  return state_->steady_deadline;
}
std::stop_token ServerCall::stop() const {
  return state_->server_stop.get_token();
}

bool ServerCall::Receive(std::string& message) {
  CallState& call = *state_;
  while (call.requests.empty() && !call.is_ended_by_client && !call.is_broken) {
    if (!call.to_server.Wait(call.deadline)) {
      call.is_broken = true;
      call.server_stop.request_stop();
    }
  }
  if (call.is_broken || call.requests.empty()) return false;
  message = std::move(call.requests.front());
  call.requests.pop_front();
  return true;
}

bool ServerCall::Send(std::string message) {
  CallState& call = *state_;
  Network& network = *call.network;
  const Process* process = scheduler_.current_process();
  if (call.is_broken || (process != nullptr && !process->is_alive())) return false;
  if (network.IsLost(HostOf(call.address), call.client_host)) {
    call.is_broken = true;
    call.server_stop.request_stop();
    network.Break(state_, "connection lost");
    return false;
  }
  const Micros at = InOrder(call.last_arrival_at_client, scheduler_.now() + network.Delay());
  scheduler_.At(at, [state = state_, bytes = std::move(message)]() mutable {
    state->responses.push_back(std::move(bytes));
    state->to_client.Notify();
  });
  return true;
}

// ---- On the way ----

Network::Network(Scheduler& scheduler, Random random) : scheduler_(scheduler), random_(random) {}

void Network::Listen(const std::string& address, Process& process, Service& service) {
  listeners_[address] = {.process = &process, .service = &service, .life = next_life_++};
}

void Network::Withdraw(const std::string& address) {
  listeners_.erase(address);
}

void Network::Cut(const std::string& source, const std::string& target) {
  cuts_.insert({source, target});
  scheduler_.Note(fmt::format("cut {} -> {}", source, target));
}

void Network::HealAll() {
  if (cuts_.empty()) return;
  for (const auto& cut : cuts_)
    healed_at_[cut] = scheduler_.now();
  cuts_.clear();
  scheduler_.Note("healed");
}

void Network::SetFaults(const Faults& faults) {
  if (!faults_.is_fair()) unfair_until_ = scheduler_.now();
  faults_ = faults;
}

bool Network::HasBeenReachable(const std::string& source,
                               const std::string& target,
                               Micros since) const {
  auto was_healed = [&](const std::string& from, const std::string& to) {
    auto healed = healed_at_.find({from, to});
    return healed == healed_at_.end() || healed->second < since;
  };
  return IsReachable(source, target) && was_healed(source, target) && was_healed(target, source);
}

uint64_t Network::LifeAt(const std::string& address) const {
  auto found = listeners_.find(address);
  return found == listeners_.end() ? 0 : found->second.life;
}

Micros Network::Delay() {
  if (random_.PerMille(faults_.spike_per_mille)) {
    return Micros(random_.Between(0, faults_.spike_max.count()));
  }
  return Micros(random_.Between(50, faults_.delay_max.count()));
}

bool Network::IsLost(const std::string& source, const std::string& target) {
  return cuts_.contains({source, target}) || random_.PerMille(faults_.loss_per_mille);
}

std::shared_ptr<CallState> Network::Open(Process& process,
                                         const std::string& host,
                                         const std::string& address,
                                         std::string_view method,
                                         const rpc::CallOptions& options) {
  auto call = std::make_shared<CallState>(scheduler_);
  call->number = next_call_++;
  call->method = method;
  call->client_host = host;
  call->address = address;
  call->network = this;
  call->life = LifeAt(address);
  call->deadline = scheduler_.now() + options.timeout;
  call->steady_deadline = process.Now() + options.timeout;
  return call;
}

void Network::ToServer(const std::shared_ptr<CallState>& call, Message message, bool is_last) {
  if (call->is_over || call->is_broken || call->is_severed) return;
  const std::string host = HostOf(call->address);
  if (IsLost(call->client_host, host)) {
    scheduler_.Note(fmt::format("#{} {} lost on the way", call->number, ShortName(call->method)));
    Break(call, "connection lost");
    return;
  }
  if (is_last) call->is_whole_sent = true;
  const Micros at = InOrder(call->last_arrival_at_server, scheduler_.now() + Delay());
  scheduler_.At(at, [this, call, bytes = std::move(message), is_last]() mutable {
    Arrive(call, std::move(bytes), is_last);
  });
}

void Network::Duplicate(const std::shared_ptr<CallState>& call, const std::string& message) {
  if (!random_.PerMille(faults_.duplication_per_mille)) return;
  auto ghost = std::make_shared<CallState>(scheduler_);
  ghost->number = next_call_++;
  ghost->method = call->method;
  ghost->client_host = call->client_host;
  ghost->address = call->address;
  ghost->network = this;
  ghost->life = call->life;
  ghost->is_ghost = true;
  ghost->deadline = scheduler_.now() + kMessageLifeMax;
  ghost->steady_deadline = call->steady_deadline;
  const Micros at = scheduler_.now() + Micros(random_.Between(0, kMessageLifeMax.count() / 2));
  scheduler_.At(at, [this, ghost, message] { Arrive(ghost, message, true); });
}

void Network::Arrive(const std::shared_ptr<CallState>& call, Message message, bool is_last) {
  if (call->is_broken || call->is_refused || (!call->has_begun && !Begin(call))) return;
  if (message.has_value()) call->requests.push_back(std::move(*message));
  call->is_ended_by_client = is_last;
  call->to_server.Notify();
}

bool Network::Begin(const std::shared_ptr<CallState>& call) {
  auto found = listeners_.find(call->address);
  const bool is_there = found != listeners_.end() && found->second.process->is_alive() &&
                        (call->life == 0 || call->life == found->second.life);
  if (!is_there) {
    call->is_refused = true;
    scheduler_.Note(fmt::format(
        "#{} {} finds nobody at {}", call->number, ShortName(call->method), call->address));
    Break(call, "connection refused");
    return false;
  }
  call->has_begun = true;
  Process& process = *found->second.process;
  Service& service = *found->second.service;
  scheduler_.Note(fmt::format("#{} {} {} -> {}{}",
                              call->number,
                              ShortName(call->method),
                              call->client_host,
                              call->address,
                              call->is_ghost ? " (again)" : ""));
  scheduler_.Spawn(&process, [this, call, &process, &service] {
    ServerCall server_call(scheduler_, call);
    Result<std::string> response = service.Handle(server_call);
    // A dead process answers nobody; its machine resets the connection once it is up.
    if (!process.is_alive()) {
      Break(call, "connection reset");
      return;
    }
    Answer(call, response.status(), response.ok() ? std::move(*response) : std::string());
  });
  return true;
}

void Network::Answer(const std::shared_ptr<CallState>& call, Status status, std::string response) {
  scheduler_.Note(
      fmt::format("#{} {} answered {}", call->number, ShortName(call->method), status.ToString()));
  call->is_broken = true;  // takes no more
  if (call->is_ghost) return;
  if (IsLost(HostOf(call->address), call->client_host)) {
    scheduler_.Note(fmt::format("#{} the answer is lost", call->number));
    Break(call, "connection lost");
    return;
  }
  const Micros at = InOrder(call->last_arrival_at_client, scheduler_.now() + Delay());
  scheduler_.At(at, [call, status, bytes = std::move(response)]() mutable {
    End(*call, status, std::move(bytes));
  });
}

void Network::Break(const std::shared_ptr<CallState>& call, const std::string& why) {
  call->is_severed = true;
  if (!call->is_broken) {
    // The server finds out on its own.
    scheduler_.After(Micros(random_.Between(100, 2'000'000)), [call] {
      call->is_broken = true;
      call->server_stop.request_stop();
      call->to_server.Notify();
    });
  }
  if (call->is_ghost) return;
  // One in five finds out only by its deadline.
  if (random_.PerMille(200)) return;
  scheduler_.After(Micros(random_.Between(100, 500'000)),
                   [call, status = Unavailable(why)] { End(*call, status, {}); });
}

void Network::Cancel(const std::shared_ptr<CallState>& call) {
  End(*call, Cancelled("cancelled"), {});
  if (call->is_broken) return;
  scheduler_.After(Delay(), [call] {
    call->server_stop.request_stop();
    // What was sent whole is carried out all the same.
    if (call->is_whole_sent) return;
    call->is_broken = true;
    call->to_server.Notify();
  });
}

// ---- The client's end ----

// One call, of whatever shape.
class SimulatedCall final {
 public:
  SimulatedCall(Network& network, Process& process, std::shared_ptr<CallState> state)
      : network_(network), process_(process), state_(std::move(state)) {}
  ~SimulatedCall() {
    if (!state_->is_over) network_.Cancel(state_);
  }
  SimulatedCall(const SimulatedCall&) = delete;
  SimulatedCall& operator=(const SimulatedCall&) = delete;

  bool Send(const MessageLite& message, bool is_last) {
    if (!process_.is_alive() || state_->is_over || is_half_closed_) return false;
    is_half_closed_ = is_last;
    std::string bytes = message.SerializeAsString();
    if (is_last) network_.Duplicate(state_, bytes);
    if (!is_last) only_message_ = ++messages_ == 1 ? bytes : std::string();
    network_.ToServer(state_, std::move(bytes), is_last);
    return true;
  }

  void HalfClose() {
    if (std::exchange(is_half_closed_, true)) return;
    if (!process_.is_alive()) return;
    if (messages_ == 1) network_.Duplicate(state_, only_message_);
    network_.ToServer(state_, std::nullopt, true);
  }

  // The next message of a response stream; false when there are no more.
  bool Receive(std::string& message, const std::stop_token& stop) {
    Await(stop, [this] { return !state_->responses.empty(); });
    if (state_->responses.empty() || !process_.is_alive()) return false;
    message = std::move(state_->responses.front());
    state_->responses.pop_front();
    return true;
  }

  Status Finish(const std::stop_token& stop) {
    Await(stop, [] { return false; });
    return state_->status;
  }
  const std::string& response() const { return state_->response; }

 private:
  // Until the call is over, or `has_come`.
  template <class Condition>
  void Await(const std::stop_token& stop, Condition has_come) {
    std::stop_callback wake(stop, [this] { state_->to_client.Notify(); });
    while (!state_->is_over && !has_come()) {
      if (stop.stop_requested() || !process_.is_alive()) {
        network_.Cancel(state_);
      } else if (!state_->to_client.Wait(state_->deadline) && process_.is_alive()) {
        network_.Cancel(state_);
        state_->status = DeadlineExceeded("no answer in time");
      }
    }
  }

  Network& network_;
  Process& process_;
  std::shared_ptr<CallState> state_;  // shared with messages on the way
  bool is_half_closed_ = false;
  size_t messages_ = 0;  // of a stream
  std::string only_message_;
};

namespace {

class SimulatedRequestStream final : public rpc::RequestStream {
 public:
  SimulatedRequestStream(std::unique_ptr<SimulatedCall> call,
                         MessageLite& response,
                         std::stop_token stop)
      : call_(std::move(call)), response_(response), stop_(std::move(stop)) {}

  bool Send(const MessageLite& message) override { return call_->Send(message, false); }
  void HalfClose() override { call_->HalfClose(); }
  Status Finish() override {
    call_->HalfClose();
    RETURN_IF_ERROR(call_->Finish(stop_));
    if (!response_.ParseFromString(call_->response())) return Internal("a damaged response");
    return {};
  }

 private:
  const std::unique_ptr<SimulatedCall> call_;
  MessageLite& response_;
  const std::stop_token stop_;
};

class SimulatedResponseStream final : public rpc::ResponseStream {
 public:
  SimulatedResponseStream(std::unique_ptr<SimulatedCall> call, std::stop_token stop)
      : call_(std::move(call)), stop_(std::move(stop)) {}

  bool Receive(MessageLite& message) override {
    std::string bytes;
    return call_->Receive(bytes, stop_) && message.ParseFromString(bytes);
  }
  Status Finish() override { return call_->Finish(stop_); }

 private:
  const std::unique_ptr<SimulatedCall> call_;
  const std::stop_token stop_;
};

}  // namespace

// What a process on a machine reaches at an address.
class SimulatedPeer final : public rpc::Peer {
 public:
  using Opener = std::function<std::unique_ptr<SimulatedCall>(std::string_view method,
                                                              const rpc::CallOptions& options)>;
  explicit SimulatedPeer(Opener open) : open_(std::move(open)) {}

  Status Call(std::string_view method,
              const MessageLite& request,
              MessageLite& response,
              const rpc::CallOptions& options) override {
    auto call = open_(method, options);
    call->Send(request, true);
    RETURN_IF_ERROR(call->Finish(options.stop));
    if (!response.ParseFromString(call->response())) return Internal("a damaged response");
    return {};
  }

  std::unique_ptr<rpc::RequestStream> OpenRequestStream(std::string_view method,
                                                        MessageLite& response,
                                                        const rpc::CallOptions& options) override {
    return std::make_unique<SimulatedRequestStream>(open_(method, options), response, options.stop);
  }

  std::unique_ptr<rpc::ResponseStream> OpenResponseStream(
      std::string_view method,
      const MessageLite& request,
      const rpc::CallOptions& options) override {
    auto call = open_(method, options);
    call->Send(request, true);
    return std::make_unique<SimulatedResponseStream>(std::move(call), options.stop);
  }

  void AwaitReconnect(std::chrono::milliseconds) override {}

 private:
  const Opener open_;
};

namespace {

class SimulatedTransport final : public rpc::Transport {
 public:
  using Connector = std::function<std::shared_ptr<rpc::Peer>(const std::string& address)>;
  explicit SimulatedTransport(Connector connect) : connect_(std::move(connect)) {}
  std::shared_ptr<rpc::Peer> Connect(const std::string& address) override {
    return connect_(address);
  }

 private:
  const Connector connect_;
};

}  // namespace

std::shared_ptr<rpc::Transport> Network::TransportOf(Process& process, const std::string& host) {
  return std::make_shared<SimulatedTransport>([this, &process, host](const std::string& address) {
    return std::make_shared<SimulatedPeer>(
        [this, &process, host, address](std::string_view method, const rpc::CallOptions& options) {
          return std::make_unique<SimulatedCall>(
              *this, process, Open(process, host, address, method, options));
        });
  });
}

}  // namespace slipstream::simulation
