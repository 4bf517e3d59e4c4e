#include "common/daemon/service_manager.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace slipstream::daemon {

Status TellServiceManager(std::string_view assignments) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return {};
  const std::string path(name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((path.front() != '/' && path.front() != '@') || path.size() >= sizeof(address.sun_path)) {
    return InvalidArgument("NOTIFY_SOCKET is no address: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // A name that belongs to no file, which begins with a zero byte.
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return ErrnoStatus(errno, "socket for NOTIFY_SOCKET");
  const ssize_t sent = ::sendto(socket,
                                assignments.data(),
                                assignments.size(),
                                MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address),
                                length);
  const int error = errno;
  ::close(socket);
  if (sent < 0) return Unavailable("tell " + path + ": " + std::strerror(error));
  return {};
}

}  // namespace slipstream::daemon
