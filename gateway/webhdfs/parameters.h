#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "gateway/http/uri.h"

namespace slipstream::gateway::webhdfs {

// Parameters: those of a request's query, by type. Names are compared without case, the first of a
// name counts, unknown ones are left alone: all of it as in Hadoop. A value that is there and empty
// is as good as absent.
// Errors  kInvalidArgument with the parameter's name and value: "Invalid value for webhdfs
//         parameter "offset": …".
class Parameters final {
 public:
  static Result<Parameters> Parse(std::string_view query);

  std::optional<std::string> Text(std::string_view name) const;
  // "true" or "false", in any case.
  Result<bool> Boolean(std::string_view name, bool otherwise) const;
  // Decimal, within [min, max].
  Result<std::optional<int64_t>> Number(std::string_view name, int64_t min, int64_t max) const;
  // Octal permissions, up to 1777.
  Result<std::optional<uint32_t>> Permission(std::string_view name) const;

  const http::Query& query() const { return query_; }

 private:
  explicit Parameters(http::Query query) : query_(std::move(query)) {}

  http::Query query_;
};

}  // namespace slipstream::gateway::webhdfs
