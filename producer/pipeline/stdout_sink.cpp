#include "producer/pipeline/stdout_sink.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <thread>

namespace slipstream::producer {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

StdoutSink::StdoutSink(int fd) : fd_(fd) {
  lines_.reserve(kBufferBytes + (16 << 10));
}

Status StdoutSink::Send(const Record& record) {
  lines_.append(record.value);
  lines_.push_back('\n');
  ++sent_count_;
  return lines_.size() < kBufferBytes ? Status() : Write();
}

Status StdoutSink::Poll(std::chrono::milliseconds timeout) {
  // Whoever waits for the next record is to see those before it.
  RETURN_IF_ERROR(Write());
  std::this_thread::sleep_for(timeout);
  return {};
}

Status StdoutSink::Flush(std::chrono::milliseconds /*timeout*/) {
  return Write();
}

Status StdoutSink::Write() {
  size_t written = 0;
  while (written < lines_.size()) {
    ssize_t count = ::write(fd_, lines_.data() + written, lines_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPIPE) return Cancelled("nobody reads the output any more");
    if (count < 0) return ErrnoStatus(errno, "write to standard output");
    written += static_cast<size_t>(count);
  }
  lines_.clear();
  written_count_ = sent_count_.load();
  return {};
}

}  // namespace slipstream::producer
