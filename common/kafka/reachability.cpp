#include "common/kafka/reachability.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <netdb.h>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAttemptMin{100};
constexpr milliseconds kAttemptTimeout{2'000};
constexpr milliseconds kRetryPeriod{200};
constexpr std::chrono::seconds kMessagePeriod{5};

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Status ConnectTo(const addrinfo& address, milliseconds timeout) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return ErrnoStatus(errno, "socket");
  if (connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return Unavailable(ErrnoStatus(errno, "connect").message());
  pollfd wait{.fd = socket.fd(), .events = POLLOUT, .revents = 0};
  if (poll(&wait, 1, ToTimeoutMs(timeout)) == 0) return Unavailable("connect: timed out");
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? Status() : Unavailable(ErrnoStatus(error, "connect").message());
}

std::string PropertyOf(const Properties& properties, std::string_view name) {
  std::string value;
  for (const auto& [key, text] : properties) {
    if (key == name) value = text;
  }
  return value;
}

// One look at the cluster: OK, or why not. With a client of its own each time: one that has once
// learned an advertised address asks only there from then on.
Status Attempt(const Properties& properties, milliseconds timeout) {
  ClientEvents events("kafka.reachability");
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf, MakeConf({}, properties, events));
  ASSIGN_OR_RETURN(Holder<rd_kafka_t> owner, MakeClient(RD_KAFKA_PRODUCER, std::move(conf)));
  rd_kafka_t* client = owner.get();
  const std::string bootstrap = PropertyOf(properties, "bootstrap.servers");
  const struct rd_kafka_metadata* raw = nullptr;
  rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, nullptr, &raw, ToTimeoutMs(timeout));
  Holder<const struct rd_kafka_metadata> metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_poll(client, 0);  // serves the error callback
    std::string reason = events.last_error();
    return Unavailable(fmt::format(
        "no kafka broker answers at {}{}{}", bootstrap, reason.empty() ? "" : ": ", reason));
  }
  if (metadata->broker_cnt == 0) return Unavailable("the kafka cluster names no broker yet");
  for (int i = 0; i < metadata->broker_cnt; ++i) {
    const rd_kafka_metadata_broker_t& broker = metadata->brokers[i];
    Status status = TryConnect(broker.host, broker.port, kAttemptTimeout);
    if (status.ok()) continue;
    return Unavailable(fmt::format(
        "kafka at {} answers, but its broker {} advertises {}:{}, which cannot be reached from "
        "here ({}): correct advertised.listeners of the broker",
        bootstrap,
        broker.id,
        broker.host,
        broker.port,
        status.message()));
  }
  return {};
}

}  // namespace

Status TryConnect(const std::string& host, int port, std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &addresses);
  if (error != 0) return Unavailable(fmt::format("resolve {}: {}", host, gai_strerror(error)));
  Status status = Unavailable("resolve " + host + ": no address");
  for (const addrinfo* address = addresses; address != nullptr; address = address->ai_next) {
    status = ConnectTo(*address, timeout);
    if (status.ok()) break;
  }
  freeaddrinfo(addresses);
  return status;
}

Status WaitForBrokers(const ReachabilityOptions& options) {
  const Clock& clock = SystemClock::Get();
  const SteadyTime deadline = clock.Now() + options.connect_timeout;
  SteadyTime next_message = clock.Now();
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock.Now());
    Status status = Attempt(options.properties, std::clamp(left, kAttemptMin, kAttemptTimeout));
    if (status.code() != Code::kUnavailable) return status;
    const SteadyTime now = clock.Now();
    if (now >= deadline) return status;
    if (options.on_waiting && now >= next_message) {
      options.on_waiting(status.message());
      next_message = now + kMessagePeriod;
    }
    if (!SleepUnlessStopped(kRetryPeriod, options.stop)) {
      return Cancelled("stopped while waiting for kafka");
    }
  }
}

}  // namespace slipstream::kafka
