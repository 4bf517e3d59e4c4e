#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/scratch/scratch_store.h"

namespace slipstream::sql {

// ScratchPart: one of the parts that an operator divides its space into, where it keeps things of
// several kinds. Keys of a part have a byte of their own before them, and each part may cache an
// equal share.
// Ownership  borrows the space. Threads: as the space.
class ScratchPart final : public ScratchSpace {
 public:
  ScratchPart(ScratchSpace& whole, char prefix, size_t parts)
      : whole_(whole), prefix_(prefix), parts_(parts) {}

  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  bool Get(std::string_view key, std::string& value) override;
  void ScanFrom(const Range& range, const Visit& visit) override;
  void Fail(const Status& status) override { whole_.Fail(status); }
  size_t cache_bytes() const override { return whole_.cache_bytes() / parts_; }
  void SetCached(size_t bytes) override;
  size_t cached_bytes() const override { return cached_bytes_; }

 private:
  // Valid until the next call.
  std::string_view Whole(std::string_view key) { return key_.assign(1, prefix_).append(key); }

  ScratchSpace& whole_;
  const char prefix_;
  const size_t parts_;
  size_t cached_bytes_ = 0;
  std::string key_;
};

}  // namespace slipstream::sql
