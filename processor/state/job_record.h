#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::runtime {

// JobRecord: what the whole job decided once, at its first start. Minted by the owner of the first
// partition in that task's first commit, copied by every other task into its own first commit.
struct JobRecord {
  struct Input {
    std::string topic;
    // One for each partition the input had: where it ends if the job was bounded, else -1.
    std::vector<int64_t> ends;

    friend bool operator==(const Input&, const Input&) = default;
  };

  std::string uuid;  // names the job at the file system, so that a fresh start is another owner
  std::vector<Input> inputs;  // of all stages, in the job's order
  std::string savepoint;      // the id of the savepoint it began with; empty: it began anew

  friend bool operator==(const JobRecord&, const JobRecord&) = default;
};

std::string EncodeJobRecord(const JobRecord& record);
// kDataLoss if it is anything else, or of another version.
Result<JobRecord> ParseJobRecord(std::string_view bytes);

// A random UUID, version 4, in lower case.
std::string MintUuid();

}  // namespace slipstream::runtime
