#include "tests/support/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "common/net/host_port.h"

namespace slipstream::test_support {
namespace {

class Socket final {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Status Failed(const char* what) {
  // What a socket with a time limit says when that has passed.
  if (errno == EAGAIN || errno == EWOULDBLOCK) return DeadlineExceeded(what);
  return Unavailable(ErrnoStatus(errno, what).message());
}

// Sends the request and reads until the server closes: it answers one request a connection.
Result<std::string> Exchange(int fd, const HostPort& to, std::string_view request) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  if (::inet_pton(AF_INET, to.host.c_str(), &address.sin_addr) != 1) {
    return InvalidArgument("not a numeric address: " + to.host);
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed("connect");
  }
  while (!request.empty()) {
    ssize_t sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0) return Failed("send");
    request.remove_prefix(static_cast<size_t>(sent));
  }
  std::string answer;
  std::array<char, 16 << 10> buffer{};
  while (true) {
    ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0) return Failed("receive");
    if (count == 0) return answer;
    answer.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace

Result<HttpAnswer> HttpGet(const std::string& address,
                           std::string_view target,
                           std::chrono::seconds timeout) {
  ASSIGN_OR_RETURN(HostPort to, ParseHostPort(address));
  const Socket socket;
  const timeval limit{.tv_sec = timeout.count(), .tv_usec = 0};
  if (socket.fd() < 0 ||
      ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
      ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
    return ErrnoStatus(errno, "socket");
  }
  const std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + address +
                              "\r\nConnection: close\r\n\r\n";
  ASSIGN_OR_RETURN(std::string text, Exchange(socket.fd(), to, request));
  HttpAnswer answer;
  const size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string::npos ||
      std::sscanf(text.c_str(), "HTTP/1.1 %d", &answer.code) != 1) {
    return DataLoss("not an answer of HTTP: " + text);
  }
  answer.body = text.substr(head_end + 4);
  return answer;
}

}  // namespace slipstream::test_support
