#pragma once

#include <string>

#include <fmt/format.h>

namespace slipstream::check_internal {
[[noreturn]] void Fail(const char* file,
                       int line,
                       const char* condition,
                       const std::string& message);
}  // namespace slipstream::check_internal

// Ends the process, with place and message on stderr, unless `condition` holds. Stays on in
// release builds. For states that only a bug of ours can bring about, never for anything that
// comes from disk, network or user (that is a Status).
//   SLIPSTREAM_CHECK(open_blocks == 0, "open_blocks={}", open_blocks);
#define SLIPSTREAM_CHECK(condition, ...)                             \
  do {                                                               \
    if (!(condition)) [[unlikely]] {                                 \
      ::slipstream::check_internal::Fail(                            \
          __FILE__, __LINE__, #condition, fmt::format(__VA_ARGS__)); \
    }                                                                \
  } while (false)
