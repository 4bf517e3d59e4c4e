#include "processor/operators/scratch_part.h"

namespace slipstream::sql {

void ScratchPart::Put(std::string_view key, std::string_view value) {
  whole_.Put(Whole(key), value);
}

void ScratchPart::Delete(std::string_view key) {
  whole_.Delete(Whole(key));
}

bool ScratchPart::Get(std::string_view key, std::string& value) {
  return whole_.Get(Whole(key), value);
}

void ScratchPart::ScanFrom(const Range& range, const Visit& visit) {
  // `visit` may use the part, and with it key_.
  const std::string prefix(Whole(range.prefix));
  const std::string first(Whole(range.first));
  whole_.ScanFrom({.prefix = prefix, .first = first},
                  [&visit](std::string_view key, std::string_view value) {
                    return visit(key.substr(1), value);
                  });
}

void ScratchPart::SetCached(size_t bytes) {
  whole_.SetCached(whole_.cached_bytes() - cached_bytes_ + bytes);
  cached_bytes_ = bytes;
}

}  // namespace slipstream::sql
