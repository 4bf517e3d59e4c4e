#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// A name that goes with a batch of records through all processes, so that their logs can be put
// together: W3C Trace Context's id, as the header `traceparent` of a Kafka record and as metadata
// of a call. Spans are not recorded: there is the name, and the lines that bear it.

namespace slipstream::trace {

// The header's name, and the metadata's.
inline constexpr std::string_view kHeader = "traceparent";

struct Id {
  uint64_t high = 0;
  uint64_t low = 0;  // both 0: there is none

  bool is_set() const { return high != 0 || low != 0; }
  std::string ToString() const;  // 32 hex digits
  friend bool operator==(const Id&, const Id&) = default;
};

// A new one, from the system's random source.
Id NewId();

// The header's value, version 00. The parent's id, which it wants, is made of the trace's own.
std::string ToHeader(const Id& id);
// The id in a header's value, of any version as the standard has it; nothing where it is none.
std::optional<Id> FromHeader(std::string_view value);

// What this thread is at work on; not set: nothing that bears a name. Every line it logs says
// trace=… then, and every call it makes passes the name on.
Id Current();

// Scope: this thread is at work on that, until the scope's end; then on what it was before.
class Scope final {
 public:
  explicit Scope(const Id& id);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  const Id before_;
};

}  // namespace slipstream::trace
