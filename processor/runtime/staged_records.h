#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::runtime {

// StagedRecords: the records of an epoch, held back until its transaction. One growing piece of
// memory: no allocation for a record. Threads: not thread-safe.
class StagedRecords final {
 public:
  // Copies everything. `output` is an index into the job's output topics.
  void Add(size_t output,
           int32_t partition,
           std::optional<std::string_view> key,
           std::optional<std::string_view> value,
           std::span<const kafka::Header> headers = {},
           int64_t timestamp_ms = 0);

  // Hands every record to `produce`, in order; stops at its first error. The views live for the
  // call.
  using Produce = std::function<Status(size_t output, const kafka::OutgoingRecord& record)>;
  Status ForEach(const Produce& produce) const;

  bool empty() const { return entries_.empty(); }
  size_t count() const { return entries_.size(); }
  // With what each costs besides its own bytes, here and in the producer's queue.
  size_t memory_bytes() const;
  void Clear();

 private:
  struct Entry {
    uint32_t output = 0;
    int32_t partition = -1;
    int64_t timestamp_ms = 0;  // 0: when it is sent
    uint64_t offset = 0;       // into bytes_: key, value, then the headers' names and values
    int64_t key_bytes = -1;
    int64_t value_bytes = -1;
    uint32_t header_begin = 0;
    uint32_t header_count = 0;
  };
  struct HeaderSizes {
    uint32_t name_bytes = 0;
    uint32_t value_bytes = 0;
  };

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<HeaderSizes> headers_;
};

}  // namespace slipstream::runtime
