#include "dfs-master/lease_table.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"

namespace slipstream::dfs::master {

using std::chrono::milliseconds;

Status LeaseTable::Check(milliseconds length) {
  if (length.count() == 0 || (length >= kLengthMin && length <= kLengthMax)) return {};
  return InvalidArgument("a lease lasts 1000 to 3600000 ms, or 0 for none: lease_ms=" +
                         std::to_string(length.count()));
}

Status LeaseTable::Load(const KeyValueStore& store, const Now& now) {
  Status damage;
  auto visit = [&](std::string_view owner, std::string_view value) {
    const milliseconds length(static_cast<int64_t>(ReadBigEndian(value)));
    if (value.size() != sizeof(uint64_t) || length.count() == 0 || !Check(length).ok()) {
      damage = DataLoss("lease of owner=" + log::Quoted(owner) + ": impossible length");
      return false;
    }
    leases_.emplace(owner, Lease{.length = length, .heard_at = now.steady});
    return true;
  };
  RETURN_IF_ERROR(store.Scan(Table::kLeases, "", "", visit));
  asked_at_ = now.steady;
  none_over_before_ = now.steady;
  return damage;
}

void LeaseTable::Grant(Transaction& txn,
                       std::string_view owner,
                       milliseconds length,
                       const Now& now) {
  if (length.count() == 0) {
    End(txn, owner);
    return;
  }
  const Lease lease{.length = length, .heard_at = now.steady};
  none_over_before_ = std::min(none_over_before_, lease.over_at());
  leases_.insert_or_assign(std::string(owner), lease);
  txn.Put(Table::kLeases, std::string(owner), BigEndian(static_cast<uint64_t>(length.count())));
}

void LeaseTable::End(Transaction& txn, std::string_view owner) {
  auto it = leases_.find(owner);
  if (it == leases_.end()) return;
  leases_.erase(it);
  txn.Delete(Table::kLeases, std::string(owner));
}

void LeaseTable::Touch(std::string_view owner, const Now& now) {
  auto it = leases_.find(owner);
  if (it != leases_.end()) it->second.heard_at = now.steady;
}

void LeaseTable::TouchAll(const Now& now) {
  for (auto& [owner, lease] : leases_)
    lease.heard_at = now.steady;
}

milliseconds LeaseTable::LengthOf(std::string_view owner) const {
  auto it = leases_.find(owner);
  return it == leases_.end() ? milliseconds(0) : it->second.length;
}

std::vector<std::string> LeaseTable::Over(size_t limit, const Now& now) {
  const bool stood_still = now.steady - std::exchange(asked_at_, now.steady) > kStandstill;
  if (stood_still) TouchAll(now);
  std::vector<std::string> over;
  if (now.steady < none_over_before_) return over;
  none_over_before_ = SteadyTime::max();
  for (const auto& [owner, lease] : leases_) {
    if (now.steady < lease.over_at()) {
      none_over_before_ = std::min(none_over_before_, lease.over_at());
      continue;
    }
    over.push_back(owner);
    if (over.size() == limit) {
      none_over_before_ = now.steady;  // the rest was not looked at
      break;
    }
  }
  return over;
}

}  // namespace slipstream::dfs::master
