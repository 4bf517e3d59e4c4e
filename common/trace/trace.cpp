#include "common/trace/trace.h"

#include <charconv>
#include <random>

#include <fmt/format.h>

namespace slipstream::trace {
namespace {

// version - trace id - parent id - flags
constexpr size_t kIdBegin = 3;
constexpr size_t kIdEnd = 35;
constexpr size_t kParentEnd = 52;
constexpr size_t kHeaderBytes = 55;
constexpr int kHex = 16;

Id& OfThisThread() {
  thread_local Id current;
  return current;
}

// Lower case, as the standard wants it.
bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

uint64_t ParseHex(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, kHex);
  return value;
}

}  // namespace

std::string Id::ToString() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

Id NewId() {
  std::random_device random;
  std::uniform_int_distribution<uint64_t> any;
  return {.high = any(random), .low = any(random) | 1U};
}

std::string ToHeader(const Id& id) {
  return fmt::format("00-{:016x}{:016x}-{:016x}-01", id.high, id.low, id.low | 1U);
}

std::optional<Id> FromHeader(std::string_view value) {
  // Later versions may have more behind a dash.
  if (value.size() < kHeaderBytes) return std::nullopt;
  if (value.size() > kHeaderBytes && (value.starts_with("00") || value[kHeaderBytes] != '-')) {
    return std::nullopt;
  }
  const std::string_view digits = value.substr(kIdBegin, kIdEnd - kIdBegin);
  const bool is_one = IsHex(value.substr(0, 2)) && !value.starts_with("ff") && value[2] == '-' &&
                      IsHex(digits) && value[kIdEnd] == '-' &&
                      IsHex(value.substr(kIdEnd + 1, kParentEnd - kIdEnd - 1)) &&
                      value[kParentEnd] == '-' && IsHex(value.substr(kParentEnd + 1, 2));
  if (!is_one) return std::nullopt;
  constexpr size_t kHalf = 16;
  const Id id{.high = ParseHex(digits.substr(0, kHalf)), .low = ParseHex(digits.substr(kHalf))};
  return id.is_set() ? std::optional(id) : std::nullopt;
}

Id Current() {
  return OfThisThread();
}

Scope::Scope(const Id& id) : before_(OfThisThread()) {
  OfThisThread() = id;
}

Scope::~Scope() {
  OfThisThread() = before_;
}

}  // namespace slipstream::trace
