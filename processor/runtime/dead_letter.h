#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/types.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// DeadLetter: a record that could not be read, as it goes to the dead-letter topic: as it came, but
// never larger than what brokers take by default, with its origin and the error in its headers. A
// value is cut, a key left out (cut, it would be another key); a header says so.
// Ownership  key, value and error are the caller's, and must outlive this.
class DeadLetter final {
 public:
  DeadLetter(const kafka::TopicPartition& origin,
             const InputRecord& record,
             std::string_view error);
  DeadLetter(const DeadLetter&) = delete;
  DeadLetter& operator=(const DeadLetter&) = delete;

  const std::optional<std::string_view>& key() const { return key_; }
  const std::optional<std::string_view>& value() const { return value_; }
  const std::vector<kafka::Header>& headers() const { return headers_; }

 private:
  const std::string topic_;
  const std::string partition_;
  const std::string offset_;
  std::optional<std::string_view> key_;
  std::optional<std::string_view> value_;
  std::vector<kafka::Header> headers_;
};

}  // namespace slipstream::runtime
