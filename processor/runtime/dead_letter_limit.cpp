#include "processor/runtime/dead_letter_limit.h"

#include <utility>

#include <fmt/format.h>

namespace slipstream::runtime {
namespace {

// Batches of an idle topic hold a record or two each: they are counted together.
constexpr uint64_t kEntryRecordsMin = 100;

}  // namespace

void DeadLetterLimit::Count(std::string_view error) {
  if (max_share_ >= 1) return;
  ++dead_in_batch_;
  last_error_ = error;
}

Status DeadLetterLimit::EndBatch(uint64_t record_count) {
  if (max_share_ >= 1) return {};
  const Batch batch{.records = record_count, .dead = std::exchange(dead_in_batch_, 0)};
  total_.records += batch.records;
  total_.dead += batch.dead;
  if (batches_.empty() || batches_.back().records >= kEntryRecordsMin) {
    batches_.push_back(batch);
  } else {
    batches_.back().records += batch.records;
    batches_.back().dead += batch.dead;
  }
  while (total_.records - batches_.front().records >= kWindowRecords) {
    total_.records -= batches_.front().records;
    total_.dead -= batches_.front().dead;
    batches_.pop_front();
  }
  const double share_max = max_share_ * static_cast<double>(total_.records);
  if (total_.records < kRecordsMin || static_cast<double>(total_.dead) <= share_max) return {};
  return FailedPrecondition(
      fmt::format("{} of the last {} records are dead letters, more than 'dead-letter.max-share' = "
                  "{} allows; the last one: {}",
                  total_.dead,
                  total_.records,
                  max_share_,
                  last_error_));
}

}  // namespace slipstream::runtime
