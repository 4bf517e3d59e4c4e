#include "processor/runtime/staged_state.h"

namespace slipstream::runtime {

void StagedState::Put(std::string_view key, std::string_view value) {
  ++changes_;
  if (space_ != nullptr) return space_->Put(key, value);
  entries_.insert_or_assign(std::string(key), std::string(value));
}

void StagedState::Delete(std::string_view key) {
  ++changes_;
  if (space_ != nullptr) return space_->Delete(key);
  entries_.erase(std::string(key));
}

Status StagedState::ForEach(
    const std::function<Status(std::string_view key, std::string_view value)>& take) {
  Status status;
  if (space_ != nullptr) {
    space_->Scan({}, [&](std::string_view key, std::string_view value) {
      status = take(key, value);
      return status.ok();
    });
  }
  for (const auto& [key, value] : entries_)
    RETURN_IF_ERROR(take(key, value));
  return status;
}

void StagedState::Clear() {
  entries_.clear();
  space_.reset();
}

}  // namespace slipstream::runtime
