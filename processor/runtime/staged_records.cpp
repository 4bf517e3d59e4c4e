#include "processor/runtime/staged_records.h"

namespace slipstream::runtime {
namespace {

// A record's bookkeeping here and as a message in librdkafka's queue.
constexpr size_t kRecordOverheadBytes = 200;
// Memory that is kept for the next epoch.
constexpr size_t kKeptBytesMax = size_t{4} << 20;

}  // namespace

void StagedRecords::Add(size_t output,
                        int32_t partition,
                        std::optional<std::string_view> key,
                        std::optional<std::string_view> value,
                        std::span<const kafka::Header> headers,
                        int64_t timestamp_ms) {
  Entry& entry = entries_.emplace_back();
  entry.output = static_cast<uint32_t>(output);
  entry.partition = partition;
  entry.timestamp_ms = timestamp_ms;
  entry.offset = bytes_.size();
  if (key) {
    entry.key_bytes = static_cast<int64_t>(key->size());
    bytes_ += *key;
  }
  if (value) {
    entry.value_bytes = static_cast<int64_t>(value->size());
    bytes_ += *value;
  }
  entry.header_begin = static_cast<uint32_t>(headers_.size());
  entry.header_count = static_cast<uint32_t>(headers.size());
  for (const kafka::Header& header : headers) {
    headers_.push_back({.name_bytes = static_cast<uint32_t>(header.name.size()),
                        .value_bytes = static_cast<uint32_t>(header.value.size())});
    bytes_ += header.name;
    bytes_ += header.value;
  }
}

Status StagedRecords::ForEach(const Produce& produce) const {
  std::vector<kafka::Header> headers;
  for (const Entry& entry : entries_) {
    size_t at = entry.offset;
    auto next = [&](size_t size) {
      std::string_view part = std::string_view(bytes_).substr(at, size);
      at += size;
      return part;
    };
    kafka::OutgoingRecord record;
    record.partition = entry.partition;
    record.timestamp_ms = entry.timestamp_ms;
    if (entry.key_bytes >= 0) record.key = next(static_cast<size_t>(entry.key_bytes));
    if (entry.value_bytes >= 0) record.value = next(static_cast<size_t>(entry.value_bytes));
    headers.clear();
    for (uint32_t i = 0; i < entry.header_count; ++i) {
      const HeaderSizes& sizes = headers_[entry.header_begin + i];
      const std::string_view name = next(sizes.name_bytes);
      headers.push_back({.name = name, .value = next(sizes.value_bytes)});
    }
    record.headers = headers.data();
    record.header_count = headers.size();
    RETURN_IF_ERROR(produce(entry.output, record));
  }
  return {};
}

size_t StagedRecords::memory_bytes() const {
  return bytes_.size() + entries_.size() * kRecordOverheadBytes;
}

void StagedRecords::Clear() {
  entries_.clear();
  headers_.clear();
  bytes_.clear();
  if (bytes_.capacity() > kKeptBytesMax) bytes_ = std::string();
}

}  // namespace slipstream::runtime
