#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace slipstream::producer {

// RejectedRows: what could not be read, counted by reason. The first few are reported with file
// and line as they come; of a file that is broken throughout, the counts are enough.
// Threads: one user at a time; count() may be called from any thread.
class RejectedRows final {
 public:
  static constexpr uint64_t kReportedMax = 20;
  static constexpr size_t kReasonsMax = 32;  // the rest are counted as "other reasons"

  // `report` gets one line for people, without a line end.
  explicit RejectedRows(std::function<void(const std::string&)> report);

  void Add(const std::filesystem::path& file, uint64_t line, std::string_view reason);

  uint64_t count() const { return count_; }
  const std::map<std::string, uint64_t, std::less<>>& by_reason() const { return by_reason_; }

 private:
  const std::function<void(const std::string&)> report_;
  std::atomic<uint64_t> count_{0};
  std::map<std::string, uint64_t, std::less<>> by_reason_;
};

}  // namespace slipstream::producer
