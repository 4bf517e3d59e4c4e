#include "processor/runtime/event_fd.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "common/check/check.h"

namespace slipstream::runtime {

EventFd::EventFd() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SLIPSTREAM_CHECK(fd_ >= 0, "eventfd: errno={}", errno);
}

EventFd::~EventFd() {
  close(fd_);
}

void EventFd::Signal() const {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(fd_, &one, sizeof(one));
}

void EventFd::Wait(std::chrono::milliseconds timeout) const {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, static_cast<int>(timeout.count())) <= 0) return;
  uint64_t count = 0;
  [[maybe_unused]] ssize_t size = read(fd_, &count, sizeof(count));
}

}  // namespace slipstream::runtime
