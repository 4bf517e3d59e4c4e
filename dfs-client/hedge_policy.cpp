#include "dfs-client/hedge_policy.h"

#include <algorithm>

namespace slipstream::dfs {
namespace {

// Where the classes of lengths end.
constexpr std::array<uint64_t, 3> kClassBytesMax{64ULL << 10, 512ULL << 10, 2ULL << 20};
constexpr size_t kPercentile = 95;

}  // namespace

size_t HedgePolicy::ClassOf(uint64_t bytes) {
  const auto* found = std::lower_bound(kClassBytesMax.begin(), kClassBytesMax.end(), bytes);
  return static_cast<size_t>(found - kClassBytesMax.begin());
}

HedgePolicy::Duration HedgePolicy::DelayAfter(const Class& like) {
  std::array<Duration, kRemembered> took = like.took;
  const size_t count = std::min(like.count, kRemembered);
  auto at = took.begin() + static_cast<ptrdiff_t>(count * kPercentile / 100);
  std::nth_element(took.begin(), at, took.begin() + static_cast<ptrdiff_t>(count));
  return std::max(kDelayMin, 2 * *at);
}

HedgePolicy::Duration HedgePolicy::Delay(uint64_t bytes) const {
  MutexLock lock(mutex_);
  return classes_[ClassOf(bytes)].delay;
}

void HedgePolicy::Record(uint64_t bytes, Duration took) {
  MutexLock lock(mutex_);
  saved_ = std::min(kSavedMax, saved_ + kShareMax);
  Class& like = classes_[ClassOf(bytes)];
  like.took[like.count % kRemembered] = took;
  // Now and then is enough, and keeps this cheap.
  if (++like.count % kEnough == 0) like.delay = DelayAfter(like);
}

bool HedgePolicy::TryTake() {
  MutexLock lock(mutex_);
  if (saved_ < 1) return false;
  saved_ -= 1;
  return true;
}

}  // namespace slipstream::dfs
