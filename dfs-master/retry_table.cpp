#include "dfs-master/retry_table.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kRequestIdBytesMax = 128;
constexpr int64_t kMsPerSecond = 1'000;
// Two kinds of keys: by id, and by time for the pruning.
constexpr char kById = 'i';
constexpr char kByTime = 't';

std::string IdKey(std::string_view request_id) {
  return kById + std::string(request_id);
}

std::string TimeKey(int64_t at_ms, std::string_view request_id) {
  std::string key(1, kByTime);
  AppendBigEndian(key, static_cast<uint64_t>(at_ms));
  key.append(request_id);
  return key;
}

}  // namespace

Status RetryTable::Load(const KeyValueStore& store, const Now& now) {
  const std::string end(1, kByTime + 1);
  ASSIGN_OR_RETURN(std::optional<KeyValueStore::Entry> newest,
                   store.FindLast(Table::kRequests, TimeKey(0, ""), end));
  base_ms_ =
      newest.has_value() ? static_cast<int64_t>(ReadBigEndian(newest->key, 1)) : now.wall_ms();
  base_at_ = now.steady;
  return {};
}

int64_t RetryTable::TimeMs(const Now& now) const {
  return base_ms_ + std::chrono::floor<std::chrono::milliseconds>(now.steady - base_at_).count();
}

Result<std::optional<std::string>> RetryTable::Find(const Transaction& txn,
                                                    const Request& request) {
  if (request.id.empty()) return std::optional<std::string>();
  if (request.id.size() > kRequestIdBytesMax) return InvalidArgument("request id is too long");
  ASSIGN_OR_RETURN(std::optional<std::string> found, txn.Get(Table::kRequests, IdKey(request.id)));
  if (!found.has_value()) return std::optional<std::string>();
  // Those of stores before format 2 end with the time.
  if (found->size() < 2 * sizeof(uint64_t)) return std::optional(std::string());
  if (ReadBigEndian(*found, sizeof(uint64_t)) != request.content_hash) {
    return InvalidArgument("request id=" + log::Quoted(request.id) + " was another request's");
  }
  return std::optional(found->substr(2 * sizeof(uint64_t)));
}

void RetryTable::Remember(Transaction& txn,
                          const Request& request,
                          std::string_view answer,
                          const Now& now) {
  if (request.id.empty()) return;
  const int64_t time_ms = TimeMs(now);
  std::string value = BigEndian(static_cast<uint64_t>(time_ms));
  AppendBigEndian(value, request.content_hash);
  value.append(answer);
  txn.Put(Table::kRequests, IdKey(request.id), std::move(value));
  txn.Put(Table::kRequests, TimeKey(time_ms, request.id), "");
  ++count_by_second_[time_ms / kMsPerSecond];
  ++count_;
}

int64_t RetryTable::Horizon(const Now& now) {
  while (count_ > options_.entries_max && !count_by_second_.empty()) {
    const auto oldest = count_by_second_.begin();
    horizon_ms_ = std::max(horizon_ms_, (oldest->first + 1) * kMsPerSecond);
    count_ -= oldest->second;
    count_by_second_.erase(oldest);
  }
  const int64_t horizon_ms = std::max(horizon_ms_, TimeMs(now) - options_.kept.count());
  while (!count_by_second_.empty() &&
         (count_by_second_.begin()->first + 1) * kMsPerSecond <= horizon_ms) {
    count_ -= count_by_second_.begin()->second;
    count_by_second_.erase(count_by_second_.begin());
  }
  return horizon_ms;
}

Result<size_t> RetryTable::Prune(Transaction& txn, size_t limit, const Now& now) {
  std::vector<std::string> old;
  const std::string begin = std::max(pruned_to_, TimeKey(0, ""));
  RETURN_IF_ERROR(txn.Scan(Table::kRequests,
                           begin,
                           std::max(begin, TimeKey(Horizon(now), "")),
                           [&](std::string_view key, std::string_view) {
                             old.emplace_back(key);
                             return old.size() < limit;
                           }));
  if (!old.empty()) pruned_to_ = old.back();
  for (std::string& key : old) {
    txn.Delete(Table::kRequests, IdKey(std::string_view(key).substr(1 + sizeof(uint64_t))));
    txn.Delete(Table::kRequests, std::move(key));
  }
  return old.size();
}

}  // namespace slipstream::dfs::master
