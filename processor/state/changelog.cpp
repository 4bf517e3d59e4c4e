#include "processor/state/changelog.h"

#include <fmt/format.h>

namespace slipstream::runtime {

std::string EncodeChangelogKey(const ChangelogKey& key) {
  std::string bytes;
  bytes.reserve(kChangelogKeyPrefixBytes + key.state_key.size());
  bytes.push_back(static_cast<char>(kChangelogVersion));
  bytes.push_back(static_cast<char>(key.kind));
  bytes.push_back(static_cast<char>(key.input));
  bytes.append(key.state_key);
  return bytes;
}

Result<ChangelogKey> ParseChangelogKey(std::string_view bytes) {
  if (bytes.size() < kChangelogKeyPrefixBytes) {
    return DataLoss(fmt::format("changelog key of {} bytes", bytes.size()));
  }
  if (const auto version = static_cast<uint8_t>(bytes[0]); version != kChangelogVersion) {
    return DataLoss(fmt::format("changelog key version={} known={}", version, kChangelogVersion));
  }
  ChangelogKey key{.kind = static_cast<ChangelogKind>(bytes[1]),
                   .input = static_cast<uint8_t>(bytes[2]),
                   .state_key = bytes.substr(kChangelogKeyPrefixBytes)};
  switch (key.kind) {
    case ChangelogKind::kState:
    case ChangelogKind::kTime:
      return key;
    case ChangelogKind::kJob:
    case ChangelogKind::kMark:
      if (key.state_key.empty()) return key;
      break;
  }
  return DataLoss(fmt::format("changelog key kind={:#x}", static_cast<uint8_t>(bytes[1])));
}

}  // namespace slipstream::runtime
