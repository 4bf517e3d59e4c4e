// Whatever is done to a store, in memory or out of it, comes to what it does to a map, and so does
// what was saved.

#include "processor/operators/row_store.h"

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sql/saved_state.h"
#include "tests/sql/tiny_scratch.h"

namespace slipstream::sql {
namespace {

constexpr size_t kInMemory = SIZE_MAX;

// By how many bytes may be cached.
class RowStoreTest : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    if (GetParam() != kInMemory) scratch_.emplace(GetParam());
    Start();
  }
  void Start() {
    store_ = std::make_unique<RowStore>();
    if (!scratch_) return;
    space_ = scratch_->get()->NewSpace();
    store_->SpillTo(*space_);
  }

  std::string RandomPartition() { return std::string(1, static_cast<char>('a' + random_() % 6)); }
  // A partition, and the key of one of its rows, or of none if it has none.
  std::pair<std::string, std::string> RandomKey() {
    const std::string partition = RandomPartition();
    std::vector<std::string> keys;
    for (auto at = model_.lower_bound(partition); at != model_.end(); ++at) {
      if (at->first.starts_with(partition)) keys.push_back(at->first);
    }
    return {partition, keys.empty() ? partition + "12345678" : keys[random_() % keys.size()]};
  }

  void Add() {
    const std::string partition = RandomPartition();
    store_->Open(partition);
    std::string key = partition;
    AppendSequence(key, number_++);
    const std::string row(random_() % 40, 'r');
    store_->Put(key, row);
    model_[key] = row;
  }
  void Change() {
    const auto [partition, key] = RandomKey();
    store_->Load(partition);
    const std::string row(random_() % 40, 'c');
    store_->Put(key, row);
    model_[key] = row;
  }
  void Look() {
    const auto [partition, key] = RandomKey();
    if (random_() % 2 == 0) {
      const std::optional<std::string> row = store_->Find(partition, key);
      ASSERT_EQ(row.has_value(), model_.contains(key));
      ASSERT_EQ(row.value_or(""), model_.contains(key) ? model_[key] : "");
      return;
    }
    store_->Load(partition);
    const std::map<std::string, std::string> rows(store_->Begin(partition), store_->End(partition));
    std::map<std::string, std::string> expected;
    for (const auto& [known, row] : model_) {
      if (known.starts_with(partition)) expected.emplace(known, row);
    }
    ASSERT_EQ(rows, expected);
  }
  void TakeOut() {
    const auto [partition, key] = RandomKey();
    if (model_.erase(key) > 0) store_->Erase(partition, key);
  }
  void TakeAll() {
    const std::string prefix = random_() % 2 == 0 ? std::string() : RandomPartition();
    std::vector<std::pair<std::string, std::string>> taken;
    const Status status = store_->TakeAll(prefix, [&](std::string_view key, std::string_view row) {
      taken.emplace_back(key, row);
      return Status();
    });
    ASSERT_EQ(status, Status());
    std::vector<std::pair<std::string, std::string>> expected;
    for (auto at = model_.begin(); at != model_.end();) {
      const auto entry = at++;
      if (!entry->first.starts_with(prefix)) continue;
      expected.emplace_back(entry->first, entry->second);
      model_.erase(entry);
    }
    ASSERT_EQ(taken, expected);
  }
  void Save() {
    store_->SaveChanges(saved_);
    ASSERT_EQ(saved_.entries.size(), model_.size());
    for (const auto& [key, row] : model_)
      ASSERT_EQ(saved_.entries[key], "\1" + row);
  }
  void TakeOver() {
    Save();
    Start();
    for (const auto& [key, value] : saved_.entries)
      ASSERT_EQ(store_->Restore(key, value), Status());
  }

  std::mt19937_64 random_{1};
  std::optional<TinyScratch> scratch_;
  std::unique_ptr<ScratchSpace> space_;
  std::unique_ptr<RowStore> store_;
  std::map<std::string, std::string> model_;
  SavedState<StateSink> saved_;
  uint64_t number_ = 0;
};

TEST_P(RowStoreTest, IsAMap) {
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t choice = random_() % 100;
    SCOPED_TRACE("step " + std::to_string(step) + ", choice " + std::to_string(choice));
    if (choice < 40) Add();
    if (choice >= 40 && choice < 50) Change();
    if (choice >= 50 && choice < 65) Look();
    if (choice >= 65 && choice < 90) TakeOut();
    if (choice == 90) TakeAll();
    if (choice > 90 && choice < 95) Save();
    if (choice == 95) TakeOver();
    if (random_() % 4 == 0) store_->Trim();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Caches, RowStoreTest, testing::Values(kInMemory, 0, 1'000, 10'000), [](const auto& cache) {
      return cache.param == kInMemory ? "InMemory" : "Of" + std::to_string(cache.param);
    });

}  // namespace
}  // namespace slipstream::sql
