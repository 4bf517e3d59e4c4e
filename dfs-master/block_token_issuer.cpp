#include "dfs-master/block_token_issuer.h"

namespace slipstream::dfs::master {

void BlockTokenIssuer::Rotate() {
  const SteadyTime now = clock_.Now();
  if (!held_.empty() && now - held_.back().made_at < kRotation) return;
  std::erase_if(held_,
                [now](const Held& held) { return now - held.made_at >= block::kTokenKeyLife; });
  block::TokenKey key = block::TokenKey::MakeRandom();
  auto sealer = std::make_shared<const block::TokenSealer>(key);
  held_.push_back({.key = std::move(key), .sealer = std::move(sealer), .made_at = now});
}

std::string BlockTokenIssuer::Issue(const block::Grant& grant) {
  std::shared_ptr<const block::TokenSealer> sealer;
  {
    MutexLock lock(mutex_);
    Rotate();
    sealer = held_[block::SealingKey(held_.size())].sealer;
  }
  return sealer->Seal(grant);
}

uint32_t BlockTokenIssuer::newest_key_id() {
  MutexLock lock(mutex_);
  Rotate();
  return held_.back().key.id;
}

std::vector<block::TokenKey> BlockTokenIssuer::keys() {
  MutexLock lock(mutex_);
  Rotate();
  std::vector<block::TokenKey> keys;
  for (const Held& held : held_)
    keys.push_back(held.key);
  return keys;
}

}  // namespace slipstream::dfs::master
