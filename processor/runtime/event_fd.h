#pragma once

#include <chrono>

namespace slipstream::runtime {

// EventFd: wakes a thread that waits for several queues at once. librdkafka writes to it whenever
// one of them has something new. Threads: Signal from any, Wait from one.
class EventFd final {
 public:
  EventFd();
  ~EventFd();
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  int fd() const { return fd_; }
  void Signal() const;
  // Returns when signalled since the last Wait, or when `timeout` has passed.
  void Wait(std::chrono::milliseconds timeout) const;

 private:
  const int fd_;
};

}  // namespace slipstream::runtime
