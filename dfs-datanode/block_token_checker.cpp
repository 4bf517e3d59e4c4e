#include "dfs-datanode/block_token_checker.h"

#include <algorithm>
#include <utility>

namespace slipstream::datanode {

void BlockTokenChecker::Take(const std::vector<block::TokenKey>& keys) {
  std::vector<std::shared_ptr<const block::TokenSealer>> told;
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.Now();
  for (const block::TokenKey& key : keys) {
    if (key.id == 0 || key.secret.size() != block::TokenKey::kSecretBytes) continue;
    const auto known = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
      return held.sealer->key_id() == key.id;
    });
    if (known != held_.end()) {
      told.push_back(known->sealer);
      continue;
    }
    held_.push_back({.sealer = std::make_shared<const block::TokenSealer>(key), .heard_at = now});
    told.push_back(held_.back().sealer);
  }
  if (told.empty()) return;
  newest_ = told.back()->key_id();
  own_ = told[block::SealingKey(told.size())];
  std::erase_if(held_, [&](const Held& held) {
    const bool is_told = std::find(told.begin(), told.end(), held.sealer) != told.end();
    return !is_told && now - held.heard_at >= block::kTokenKeyLife;
  });
  if (held_.size() > kKeysMax) {
    held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(held_.size() - kKeysMax));
  }
}

uint32_t BlockTokenChecker::newest_key_id() const {
  MutexLock lock(mutex_);
  return newest_;
}

Status BlockTokenChecker::Check(const block::Grant& grant, std::string_view token) const {
  const uint32_t key_id = block::TokenSealer::KeyIdOf(token);
  if (key_id == 0)
    return Status(Code::kPermissionDenied, "a block token of the master's is wanted");
  std::shared_ptr<const block::TokenSealer> sealer;
  {
    MutexLock lock(mutex_);
    const auto known = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
      return held.sealer->key_id() == key_id;
    });
    if (known == held_.end()) {
      return Unavailable("the block token's key is not known here, any more or yet");
    }
    sealer = known->sealer;
  }
  if (sealer->IsSealOf(grant, token)) return {};
  return Status(Code::kPermissionDenied, "the block token is not for this");
}

std::string BlockTokenChecker::Issue(const block::Grant& grant) const {
  std::shared_ptr<const block::TokenSealer> sealer;
  {
    MutexLock lock(mutex_);
    sealer = own_;
  }
  return sealer == nullptr ? std::string() : sealer->Seal(grant);
}

}  // namespace slipstream::datanode
