#include "dfs-master/retry_table.h"

#include <chrono>
#include <string>
#include <vector>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kRequestIdBytesMax = 128;
constexpr int64_t kKeptMs = std::chrono::milliseconds(std::chrono::hours(1)).count();
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

Result<bool> RetryTable::Contains(const Transaction& txn, std::string_view request_id) {
  if (request_id.empty()) return false;
  if (request_id.size() > kRequestIdBytesMax) return InvalidArgument("request id is too long");
  ASSIGN_OR_RETURN(std::optional<std::string> found, txn.Get(Table::kRequests, IdKey(request_id)));
  return found.has_value();
}

void RetryTable::Remember(Transaction& txn, std::string_view request_id, const Now& now) {
  if (request_id.empty()) return;
  txn.Put(Table::kRequests, IdKey(request_id), BigEndian(static_cast<uint64_t>(now.wall_ms())));
  txn.Put(Table::kRequests, TimeKey(now.wall_ms(), request_id), "");
}

Status RetryTable::Prune(Transaction& txn, size_t limit, const Now& now) {
  std::vector<std::string> old;
  RETURN_IF_ERROR(txn.Scan(Table::kRequests,
                           TimeKey(0, ""),
                           TimeKey(now.wall_ms() - kKeptMs, ""),
                           [&](std::string_view key, std::string_view) {
                             old.emplace_back(key);
                             return old.size() < limit;
                           }));
  for (const std::string& key : old) {
    txn.Delete(Table::kRequests, IdKey(std::string_view(key).substr(1 + sizeof(uint64_t))));
    txn.Delete(Table::kRequests, key);
  }
  return {};
}

}  // namespace slipstream::dfs::master
