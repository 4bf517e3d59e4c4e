#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "processor/runtime/job_context.h"
#include "processor/runtime/repartition_record.h"
#include "processor/runtime/staged_records.h"

namespace slipstream::runtime {

// ExchangeOutput: the rows that one task sends through exchanges in an epoch, gathered into records
// by destination: a record for each row would cost several times the row.
//
// Ownership  borrows the context and where the records are staged.
// Threads    the task's.
class ExchangeOutput final {
 public:
  ExchangeOutput(const JobContext& context, SenderId sender, StagedRecords& staged);

  void Add(size_t exchange, uint64_t hash, std::string_view row);
  // Stages what is still gathered. The epoch is over.
  void Flush();
  size_t memory_bytes() const { return bytes_; }

 private:
  void Stage(size_t exchange, size_t partition);

  const JobContext& context_;
  const SenderId sender_;
  StagedRecords& staged_;
  std::vector<std::vector<std::string>> records_;  // by exchange and partition; empty: no rows
  size_t bytes_ = 0;
};

}  // namespace slipstream::runtime
