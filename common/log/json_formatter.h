#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace slipstream::log {

// JsonFormatter: writes a line of ours (an event, then key=value) as one JSON object; see
// Format::kJson. Whatever the line holds, the object is valid JSON in UTF-8.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

}  // namespace slipstream::log
