#include "processor/runtime/task_copy.h"

#include <algorithm>

#include <fmt/format.h>

#include "processor/state/changelog.h"

namespace slipstream::runtime {

Status TaskCopy::Take(const kafka::Record& record) {
  if (record.offset < next_offset_) return {};
  next_offset_ = record.offset + 1;
  if (!record.key) return DataLoss(fmt::format("offset={}: a record without key", record.offset));
  ASSIGN_OR_RETURN(const ChangelogKey key, ParseChangelogKey(*record.key));
  if (key.input != input_) return {};
  if (key.kind == ChangelogKind::kMark) {
    if (!record.value) return {};
    ASSIGN_OR_RETURN(mark_, ParseMark(*record.value));
    has_begun_next_ = false;
    return {};
  }
  has_begun_next_ = true;
  switch (key.kind) {
    case ChangelogKind::kJob:
      if (record.value) {
        ASSIGN_OR_RETURN(job_, ParseJobRecord(*record.value));
      }
      break;
    case ChangelogKind::kState:
      if (record.value) {
        state_.Put(key.state_key, *record.value);
      } else {
        state_.Delete(key.state_key);
      }
      break;
    case ChangelogKind::kTime:
      if (record.value) {
        times_.insert_or_assign(std::string(key.state_key), std::string(*record.value));
      }
      break;
    case ChangelogKind::kMark:
      break;
  }
  return {};
}

void TaskCopy::SkipTo(int64_t offset) {
  next_offset_ = std::max(next_offset_, offset);
}

}  // namespace slipstream::runtime
