#include "tests/support/tcp_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace slipstream::test_support {
namespace {

constexpr int kTurnMs = 10;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Loopback: connects at once or not at all. -1: nobody listens.
int Connect(uint16_t port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return -1;
  const sockaddr_in address = Loopback(port);
  if (connect(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return socket_fd;
  }
  close(socket_fd);
  return -1;
}

// What is there goes on to the other side; false: the connection has ended.
bool Carry(int from, int to) {
  char buffer[65'536];
  const ssize_t size = read(from, buffer, sizeof(buffer));
  if (size <= 0) return false;
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t more = send(to, buffer + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return true;
}

}  // namespace

TcpGate::TcpGate(int listener, uint16_t port, uint16_t target_port)
    : listener_(listener), port_(port), target_port_(target_port) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

TcpGate::~TcpGate() {
  thread_.request_stop();
  thread_.join();
  CutAll();
  close(listener_);
}

Result<std::unique_ptr<TcpGate>> TcpGate::Start(uint16_t target_port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return Unavailable(std::string("socket: ") + std::strerror(errno));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const int error = errno;
    close(listener);
    return Unavailable(std::string("listen: ") + std::strerror(error));
  }
  return std::unique_ptr<TcpGate>(new TcpGate(listener, ntohs(address.sin_port), target_port));
}

void TcpGate::Shut() {
  is_cut_ = false;
  is_open_ = false;
  is_cut_.wait(false);
}

void TcpGate::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!is_open_) {
      CutAll();
      is_cut_ = true;
      is_cut_.notify_all();
    }
    std::vector<pollfd> polled = {{.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const Connection& connection : connections_) {
      polled.push_back({.fd = connection.near, .events = POLLIN, .revents = 0});
      polled.push_back({.fd = connection.far, .events = POLLIN, .revents = 0});
    }
    if (poll(polled.data(), polled.size(), kTurnMs) <= 0 || !is_open_) {
      // What has come while it was being shut goes no further; new ones are cut with the others.
      if (!is_open_ && polled[0].revents != 0) Accept();
      continue;
    }
    std::vector<Connection> alive;
    for (size_t i = 0; i < connections_.size(); ++i) {
      const Connection& connection = connections_[i];
      const bool is_alive =
          (polled[2 * i + 1].revents == 0 || Carry(connection.near, connection.far)) &&
          (polled[2 * i + 2].revents == 0 || Carry(connection.far, connection.near));
      if (is_alive) {
        alive.push_back(connection);
      } else {
        close(connection.near);
        close(connection.far);
      }
    }
    connections_ = std::move(alive);
    if (polled[0].revents != 0) Accept();
  }
}

void TcpGate::Accept() {
  const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (near < 0) return;
  const int far = is_open_ ? Connect(target_port_) : -1;
  if (far < 0) {
    close(near);
    return;
  }
  connections_.push_back({.near = near, .far = far});
}

void TcpGate::CutAll() {
  for (const Connection& connection : connections_) {
    close(connection.near);
    close(connection.far);
  }
  connections_.clear();
}

}  // namespace slipstream::test_support
