#include "tests/simulation/trace.h"

#include <cstdio>
#include <string>

namespace slipstream::simulation {
namespace {
constexpr uint64_t kPrime = 0x100000001b3;
}  // namespace

void Trace::Add(int64_t at_us, std::string_view what) {
  ++count_;
  hash_ = (hash_ ^ static_cast<uint64_t>(at_us)) * kPrime;
  for (const char c : what)
    hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kPrime;
  if (!is_printed_) return;
  std::printf("%4lld.%06lld %.*s\n",
              static_cast<long long>(at_us / 1'000'000),
              static_cast<long long>(at_us % 1'000'000),
              static_cast<int>(what.size()),
              what.data());
}

}  // namespace slipstream::simulation
