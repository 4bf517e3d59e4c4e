#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/state/changelog.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

// A savepoint: all that a job has committed, in one stream of bytes that knows nothing of the
// topics it was in. Byte for byte in docs/FORMATS.md, "Savepoint".

namespace slipstream::runtime {

struct SavepointHeader {
  std::string id;  // a UUID of its own
  std::string job_name;
  int64_t taken_at_ms = 0;  // since 1970 UTC
  std::string fingerprint;  // of the plan
  std::string state_text;   // what the fingerprint is of; see JobProgram
  JobRecord job;

  friend bool operator==(const SavepointHeader&, const SavepointHeader&) = default;
};

// A task, as it was at its last commit.
struct SavepointTask {
  uint32_t stage = 0;
  uint8_t input = 0;  // of the job
  int32_t partition = 0;
  std::optional<Mark> mark;  // none: it has never committed, and only records wait for it

  friend bool operator==(const SavepointTask&, const SavepointTask&) = default;
};

// What a savepoint holds, counted.
struct SavepointCounts {
  uint64_t tasks = 0;
  uint64_t keys = 0;     // of state
  uint64_t records = 0;  // on their way to stages behind repartition topics

  friend bool operator==(const SavepointCounts&, const SavepointCounts&) = default;
};

// SavepointWriter: Begin; for each task BeginTask and what belongs to it; End. Not thread-safe.
// Memory  a block of about a megabyte.
// Errors  the sink's; none of its own.
class SavepointWriter final {
 public:
  using Sink = std::function<Status(std::string_view bytes)>;
  explicit SavepointWriter(Sink sink) : sink_(std::move(sink)) {}

  Status Begin(const SavepointHeader& header);
  Status BeginTask(const SavepointTask& task);
  // A key of the task's state (kState), or of what it knows of its senders' time (kTime).
  Status AddKey(ChangelogKind kind, std::string_view key, std::string_view value);
  // A record of the repartition topic that the task has not read yet; in the topic's order.
  Status AddRecord(std::string_view value);
  // Without it the stream is not a savepoint.
  Status End();

  const SavepointCounts& counts() const { return counts_; }

 private:
  Status Flush();
  Status WriteBlock(uint8_t kind, std::string_view payload);

  const Sink sink_;
  std::string keys_;
  std::string records_;
  SavepointCounts counts_;
};

// SavepointReader: ReadHeader, then ReadTasks. Not thread-safe.
// Memory  one block, as long as its writer made it.
// Errors  kDataLoss for anything that SavepointWriter has not written, whole; and the source's.
class SavepointReader final {
 public:
  // The next bytes; empty at the end.
  using Source = std::function<Result<std::string>()>;
  explicit SavepointReader(Source source) : source_(std::move(source)) {}

  class Visitor {
   public:
    virtual ~Visitor() = default;
    // What follows belongs to it. The views live for the call.
    virtual Status OnTask(const SavepointTask& task) = 0;
    virtual Status OnKey(ChangelogKind kind, std::string_view key, std::string_view value) = 0;
    virtual Status OnRecord(std::string_view value) = 0;
  };

  Result<SavepointHeader> ReadHeader();
  // The counts, once all was read and found to be there.
  Result<SavepointCounts> ReadTasks(Visitor& visitor);

 private:
  struct Block {
    uint8_t kind = 0;
    std::string_view payload;  // into buffer_
  };

  // At least `bytes` in rest(); kDataLoss if the stream ends before.
  Status Need(size_t bytes);
  std::string_view rest() const { return std::string_view(buffer_).substr(used_); }
  Result<Block> ReadBlock();
  Status VisitKeys(std::string_view payload, Visitor& visitor);
  Status VisitRecords(std::string_view payload, Visitor& visitor);
  Status CheckEnd(std::string_view payload);

  const Source source_;
  std::string buffer_;
  size_t used_ = 0;  // of buffer_
  SavepointCounts counts_;
};

}  // namespace slipstream::runtime
