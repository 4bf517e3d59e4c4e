#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "producer/pipeline/record_sink.h"

namespace slipstream::producer {

// StdoutSink: messages as lines on a file descriptor, for --dry-run. The keys are not written.
// A reader that goes away (as `| head` does) ends it with kCancelled.
class StdoutSink final : public RecordSink {
 public:
  explicit StdoutSink(int fd);

  Status Send(const Record& record) override;
  Status Poll(std::chrono::milliseconds timeout) override;
  Status Flush(std::chrono::milliseconds timeout) override;
  uint64_t sent_count() const override { return sent_count_; }
  uint64_t acknowledged_count() const override { return written_count_; }
  uint64_t failed_count() const override { return 0; }

 private:
  Status Write();

  const int fd_;
  std::string lines_;
  std::atomic<uint64_t> sent_count_{0};
  std::atomic<uint64_t> written_count_{0};
};

}  // namespace slipstream::producer
