#include "processor/runtime/dead_letter.h"

namespace slipstream::runtime {
namespace {

// Key and value together: what brokers take by default, less headers.
constexpr size_t kBytesMax = 900'000;
// A key up to here leaves room for most of a value.
constexpr size_t kKeyBytesMax = 100'000;
constexpr size_t kErrorBytesMax = 1'000;

}  // namespace

DeadLetter::DeadLetter(const kafka::TopicPartition& origin,
                       const InputRecord& record,
                       std::string_view error)
    : topic_(origin.topic),
      partition_(std::to_string(origin.partition)),
      offset_(std::to_string(record.offset)),
      key_(record.key),
      value_(record.value) {
  const size_t value_bytes = value_ ? value_->size() : 0;
  bool is_cut = false;
  if (key_ && key_->size() > kKeyBytesMax && key_->size() + value_bytes > kBytesMax) {
    key_.reset();
    is_cut = true;
  }
  const size_t room_bytes = kBytesMax - (key_ ? key_->size() : 0);
  if (value_bytes > room_bytes) {
    value_ = value_->substr(0, room_bytes);
    is_cut = true;
  }
  headers_ = {
      {"slipstream.topic", topic_},
      {"slipstream.partition", partition_},
      {"slipstream.offset", offset_},
      {"slipstream.error", error.substr(0, kErrorBytesMax)},
  };
  if (is_cut) headers_.push_back({"slipstream.truncated", "true"});
}

}  // namespace slipstream::runtime
