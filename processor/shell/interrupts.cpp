#include "processor/shell/interrupts.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include <pthread.h>

#include "common/check/check.h"

namespace slipstream::processor {
namespace {

constexpr int kExitInterrupted = 130;

// The descriptor of the three signals, from here on blocked.
int OpenSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    ::sigaddset(&signals, signal);
  SLIPSTREAM_CHECK(::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0, "pthread_sigmask");
  const int fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  SLIPSTREAM_CHECK(fd >= 0, "signalfd: errno {}", errno);
  return fd;
}

int OpenEvent() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  SLIPSTREAM_CHECK(fd >= 0, "eventfd: errno {}", errno);
  return fd;
}

void Signal(int fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof(one));
}

}  // namespace

Interrupts::Interrupts()
    : signal_fd_(OpenSignals()), idle_fd_(OpenEvent()), end_fd_(OpenEvent()), thread_([this] {
        pthread_setname_np(pthread_self(), "signals");
        Serve();
      }) {
  ::signal(SIGPIPE, SIG_IGN);
}

Interrupts::~Interrupts() {
  Signal(end_fd_);
  thread_.join();
  ::close(end_fd_);
  ::close(idle_fd_);
  ::close(signal_fd_);
}

void Interrupts::Serve() {
  std::array<pollfd, 2> waited = {pollfd{.fd = signal_fd_, .events = POLLIN, .revents = 0},
                                  pollfd{.fd = end_fd_, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (::poll(waited.data(), waited.size(), -1) < 0) continue;
    if (waited[1].revents != 0) return;
    signalfd_siginfo info = {};
    if (::read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      OnSignal(static_cast<int>(info.ssi_signo));
    }
  }
}

void Interrupts::OnSignal(int signal) {
  std::optional<std::stop_source> running;
  bool is_idle_watched = false;
  {
    MutexLock lock(mutex_);
    is_idle_watched = is_idle_watched_;
    if (signal != SIGINT) has_ended_ = true;
    running = running_;
  }
  if (!running) {
    if (!is_idle_watched) ::_exit(kExitInterrupted);
    Signal(idle_fd_);
    return;
  }
  if (running->stop_requested() && signal == SIGINT) ::_exit(kExitInterrupted);
  running->request_stop();
}

std::stop_token Interrupts::Begin() {
  MutexLock lock(mutex_);
  running_.emplace();
  if (has_ended_) running_->request_stop();
  return running_->get_token();
}

bool Interrupts::End() {
  MutexLock lock(mutex_);
  const bool was_stopped = running_ && running_->stop_requested();
  running_.reset();
  return was_stopped;
}

int Interrupts::WatchIdle() {
  MutexLock lock(mutex_);
  is_idle_watched_ = true;
  return idle_fd_;
}

void Interrupts::Clear() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(idle_fd_, &count, sizeof(count));
}

bool Interrupts::has_ended() const {
  MutexLock lock(mutex_);
  return has_ended_;
}

}  // namespace slipstream::processor
