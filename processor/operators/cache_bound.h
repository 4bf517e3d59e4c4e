#pragma once

#include <algorithm>
#include <cstddef>

#include "common/scratch/scratch_store.h"

namespace slipstream::sql {

// CacheBound: when what is kept in memory in front of a space is to be looked through for what can
// go, and how much of it. Looking through all costs as much as there is, so it happens only after a
// part of the bound has come in since the last time. Threads: none of its own.
class CacheBound {
 public:
  // `parts`: into so many equal ones the space's cache is divided.
  explicit CacheBound(size_t parts = 1) : parts_(parts) {}

  bool IsPassed(const ScratchSpace& space, size_t bytes) const {
    return bytes > space.cache_bytes() / parts_ && bytes >= next_bytes_;
  }
  // What is to stay, when it is.
  size_t Target(const ScratchSpace& space) const { return space.cache_bytes() / parts_ / 4 * 3; }
  // What had to stay, since it was not saved, may go.
  void OnSaved() { next_bytes_ = 0; }
  // `bytes`: what is left, which is more than the bound if much has to stay. Not again until an
  // eighth more has come.
  void OnTrimmed(const ScratchSpace& space, size_t bytes) {
    next_bytes_ = bytes + std::max(space.cache_bytes() / parts_, bytes) / 8;
  }

 private:
  const size_t parts_;
  size_t next_bytes_ = 0;
};

}  // namespace slipstream::sql
