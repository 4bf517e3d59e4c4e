#include "dfs-master/id_allocator.h"

#include <algorithm>
#include <utility>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {

IdAllocator::IdAllocator(std::string name, uint64_t first, uint64_t range)
    : name_(std::move(name)), range_(range), next_(first) {}

Status IdAllocator::Load(const KeyValueStore& store) {
  ASSIGN_OR_RETURN(std::optional<std::string> end, store.Get(Table::kMeta, name_));
  if (end.has_value()) next_ = std::max(next_, ReadBigEndian(*end));
  return {};
}

Result<uint64_t> IdAllocator::Allocate(Transaction& txn, uint64_t count) {
  ASSIGN_OR_RETURN(std::optional<std::string> end, txn.Get(Table::kMeta, name_));
  uint64_t first = next_;
  next_ += count;
  if (!end.has_value() || ReadBigEndian(*end) < next_) {
    txn.Put(Table::kMeta, name_, BigEndian(next_ + range_));
  }
  return first;
}

void IdAllocator::RaiseTo(Transaction& txn, uint64_t next) {
  if (next <= next_) return;
  next_ = next;
  txn.Put(Table::kMeta, name_, BigEndian(next_));
}

}  // namespace slipstream::dfs::master
