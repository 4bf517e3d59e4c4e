#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status/status.h"

// The keys of a stage's changelog topic. Partition p of it belongs to the tasks of partition p of
// every input of the stage; a key says which input, so the tasks of several share a partition
// without meeting.
// Byte for byte in docs/FORMATS.md, "Changelog".

namespace slipstream::runtime {

inline constexpr uint8_t kChangelogVersion = 1;

enum class ChangelogKind : uint8_t {
  kJob = 'J',    // the job record: job_record.h
  kMark = 'M',   // the task's last commit: mark.h
  kState = 'S',  // one key of the task's state
  kTime = 'T',   // of a task behind a repartition topic: what it has heard of its senders' time
};

struct ChangelogKey {
  ChangelogKind kind = ChangelogKind::kState;
  uint8_t input = 0;           // index into the job record's inputs
  std::string_view state_key;  // of kState and kTime
};

// The longest prefix before state_key.
inline constexpr size_t kChangelogKeyPrefixBytes = 3;

std::string EncodeChangelogKey(const ChangelogKey& key);
// `state_key` points into `bytes`. kDataLoss for anything that EncodeChangelogKey does not give,
// naming the version if that is the trouble.
Result<ChangelogKey> ParseChangelogKey(std::string_view bytes);

}  // namespace slipstream::runtime
