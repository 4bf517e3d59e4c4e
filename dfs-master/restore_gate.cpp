#include "dfs-master/restore_gate.h"

#include <algorithm>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr char kMetaRestored[] = "restored";
constexpr uint64_t kRecordVersion = 1;
// More writers than this are not listed.
constexpr size_t kClaimsMax = 10'000;

}  // namespace

std::string RestoreGate::Encode(const Record& record) {
  Encoder out;
  out.Number(kRecordVersion);
  out.Number(static_cast<uint64_t>(record.phase));
  out.Number(record.backup_position);
  out.Signed(record.restored_at_ms);
  out.Number(record.offset);
  return out.Take();
}

Status RestoreGate::Decode(std::string_view bytes, Record& record) {
  Decoder in(bytes);
  const uint64_t version = in.Number();
  const uint64_t phase = in.Number();
  record.backup_position = in.Number();
  record.restored_at_ms = in.Signed();
  record.offset = in.Number();
  RETURN_IF_ERROR(in.Finish("restore"));
  const bool is_sound = version == kRecordVersion && phase != 0 &&
                        phase <= static_cast<uint64_t>(RestorePhase::kSettled);
  if (!is_sound) return DataLoss("restore: impossible record");
  record.phase = static_cast<RestorePhase>(phase);
  return {};
}

Status RestoreGate::MarkRestored(KeyValueStore& store, uint64_t backup_position, int64_t now_ms) {
  // A copy of a store that was restored itself goes on from the positions that one told.
  RestoreGate before;
  RETURN_IF_ERROR(before.Load(store));
  WriteBatch batch;
  batch.Put(Table::kMeta,
            kMetaRestored,
            Encode({.phase = RestorePhase::kRestored,
                    .backup_position = backup_position,
                    .restored_at_ms = now_ms,
                    .offset = before.state_.offset}));
  ASSIGN_OR_RETURN(const uint64_t position, store.Apply(batch));
  return store.Sync(position);
}

Status RestoreGate::Load(const KeyValueStore& store) {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, store.Get(Table::kMeta, kMetaRestored));
  return bytes.has_value() ? Decode(*bytes, state_) : Status();
}

void RestoreGate::Enter(Transaction& txn, RestorePhase phase) {
  state_.phase = phase;
  txn.Put(Table::kMeta, kMetaRestored, Encode(state_));
}

void RestoreGate::Begin(Transaction& txn) {
  if (state_.phase == RestorePhase::kRestored) Enter(txn, RestorePhase::kWaiting);
}

void RestoreGate::SawPosition(Transaction& txn, uint64_t newest, uint64_t store_position) {
  if (newest <= PositionOf(store_position)) return;
  state_.offset = newest - store_position;
  Enter(txn, state_.phase);
}

std::vector<std::string> RestoreGate::MissingNodes(const NodeTable& nodes) {
  std::vector<std::string> missing;
  for (const auto& [number, node] : nodes.nodes()) {
    if (node.is_registered() || node.service == NodeService::kDecommissioned) continue;
    missing.push_back(node.registration.node_id);
  }
  return missing;
}

void RestoreGate::GoOn(Transaction& txn) {
  if (is_waiting()) Enter(txn, RestorePhase::kKeeping);
}

void RestoreGate::Settle(Transaction& txn) {
  if (keeps_unknown()) Enter(txn, RestorePhase::kSettled);
}

bool RestoreGate::Claim(std::string_view owner, EpochPair pair) {
  auto known = claims_.find(owner);
  if (known != claims_.end()) {
    const bool is_new = known->second != pair;
    known->second = pair;
    return is_new;
  }
  if (claims_.size() == kClaimsMax) return false;
  claims_.emplace(owner, pair);
  return true;
}

void RestoreGate::Forget(std::string_view owner) {
  if (auto known = claims_.find(owner); known != claims_.end()) claims_.erase(known);
}

void RestoreGate::AddClaims(std::string_view owner_prefix,
                            std::vector<AppenderStatus>& appenders) const {
  for (auto claim = claims_.lower_bound(owner_prefix);
       claim != claims_.end() && claim->first.starts_with(owner_prefix);
       ++claim) {
    const std::string& owner = claim->first;
    const EpochPair& pair = claim->second;
    auto known = std::find_if(appenders.begin(), appenders.end(), [&](const AppenderStatus& one) {
      return one.owner == owner;
    });
    if (known == appenders.end()) {
      appenders.push_back({.owner = owner, .committed = {}, .prepared = {}, .claimed = pair});
    } else if (pair.epoch > known->committed.epoch) {
      known->claimed = pair;
    }
  }
}

}  // namespace slipstream::dfs::master
