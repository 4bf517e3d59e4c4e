#include "dfs-client/random_id.h"

#include <fmt/format.h>

namespace slipstream::dfs {
namespace {

// Two clients must never make the same ids: all of the generator's state is random.
std::mt19937_64 MakeRandom(uint64_t seed) {
  if (seed != 0) return std::mt19937_64(seed);
  std::random_device device;
  std::seed_seq words{device(), device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(words);
}

}  // namespace

std::string NewRandomId() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

RandomIds::RandomIds(uint64_t seed) : random_(MakeRandom(seed)) {}

std::string RandomIds::Next() {
  MutexLock lock(mutex_);
  const uint64_t high = random_();
  return fmt::format("{:016x}{:016x}", high, random_());
}

}  // namespace slipstream::dfs
