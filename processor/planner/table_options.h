#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// "10 s", "500ms", "1 min", "2 h", "1 d"; a bare number is milliseconds. As Flink writes them.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
// "128MB", "64 kb", "1g"; a bare number is bytes; powers of 1024.
Result<uint64_t> ParseMemorySize(std::string_view text);
// true, false; any case.
Result<bool> ParseBool(std::string_view text);

// OptionReader: the options of a table (or the settings of a job), read with their types. What is
// read becomes known, so that CheckAllKnown can refuse what nobody reads and suggest what was
// meant.
//
//   OptionReader options("table flights", table.options);
//   ASSIGN_OR_RETURN(const std::string topic, options.GetString("topic"));
//   ASSIGN_OR_RETURN(const uint64_t bytes, options.GetMemorySize("sink.…file-size", 128 << 20));
//   RETURN_IF_ERROR(options.CheckAllKnown());
//
// Ownership  borrows the options.
// Errors     kInvalidArgument: "table flights: 'topic' is missing".
class OptionReader {
 public:
  OptionReader(std::string owner, const Options& options)
      : owner_(std::move(owner)), options_(options) {}

  // Whether it is given; it becomes known.
  bool Has(std::string_view key);
  std::optional<std::string> Find(std::string_view key);

  // Required; not empty.
  Result<std::string> GetString(std::string_view key);
  std::string GetString(std::string_view key, std::string_view fallback);

  Result<bool> GetBool(std::string_view key, bool fallback);
  // Within [min, max].
  Result<int64_t> GetInt(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  // From 0 to 1, both included.
  Result<double> GetShare(std::string_view key, double fallback);
  Result<std::chrono::milliseconds> GetDuration(std::string_view key,
                                                std::chrono::milliseconds fallback);
  Result<uint64_t> GetMemorySize(std::string_view key, uint64_t fallback);
  // One of `allowed`, as it is written there; any case is taken.
  Result<std::string> GetOneOf(std::string_view key,
                               std::string_view fallback,
                               std::span<const std::string_view> allowed);
  // "a;b": the parts, blanks around them dropped; empty if the option is not given.
  std::vector<std::string> GetList(std::string_view key);
  // All options that begin with `prefix`, without it.
  std::vector<std::pair<std::string, std::string>> GetPrefixed(std::string_view prefix);

  // Refuses options that were not asked for; the message names the first and the nearest known.
  Status CheckAllKnown() const;

 private:
  Status Wrong(std::string_view key, std::string_view why) const;

  const std::string owner_;
  const Options& options_;
  std::set<std::string, std::less<>> known_;
  std::set<std::string, std::less<>> known_prefixes_;
};

}  // namespace slipstream::sql
