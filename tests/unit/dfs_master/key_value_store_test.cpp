// The same suite over both stores: what one does the other does.

#include "dfs-master/key_value_store.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"
#include "dfs-master/rocksdb_store.h"
#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {
namespace {

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dfs_master_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct MemoryFactory {
  MemoryStore store;
  KeyValueStore& Get() { return store; }
};

struct RocksDbFactory {
  RocksDbFactory() { Reopen(); }
  void Reopen() {
    store.reset();
    auto opened = RocksDbStore::Open({.directory = directory.path() / "db"});
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    store = std::move(*opened);
  }
  KeyValueStore& Get() { return *store; }

  TempDirectory directory;
  std::unique_ptr<RocksDbStore> store;
};

template <class Factory>
class KeyValueStoreTest : public ::testing::Test {
 protected:
  KeyValueStore& store() { return factory_.Get(); }
  void Put(Table table, const std::string& key, const std::string& value) {
    WriteBatch batch;
    batch.Put(table, key, value);
    ASSERT_TRUE(store().Apply(batch).ok());
  }
  std::string Scan(std::string_view begin, std::string_view end) {
    std::string keys;
    EXPECT_TRUE(store()
                    .Scan(Table::kInodes,
                          begin,
                          end,
                          [&](std::string_view key, std::string_view) {
                            keys.append(key).append(" ");
                            return true;
                          })
                    .ok());
    return keys;
  }

  Factory factory_;
};

using Stores = ::testing::Types<MemoryFactory, RocksDbFactory>;
TYPED_TEST_SUITE(KeyValueStoreTest, Stores);

TYPED_TEST(KeyValueStoreTest, AppliedBatchIsVisibleAtOnce) {
  WriteBatch batch;
  batch.Put(Table::kInodes, "a", "1");
  batch.Put(Table::kOrphans, "a", "2");
  batch.Put(Table::kInodes, "b", "3");
  batch.Delete(Table::kInodes, "b");

  ASSERT_TRUE(this->store().Apply(batch).ok());

  EXPECT_EQ(this->store().Get(Table::kInodes, "a").value(), "1");
  EXPECT_EQ(this->store().Get(Table::kOrphans, "a").value(), "2");
  EXPECT_EQ(this->store().Get(Table::kInodes, "b").value(), std::nullopt);
}

TYPED_TEST(KeyValueStoreTest, ScanIsHalfOpenAndBytewise) {
  for (const char* key : {"a", "b", "b\xff", "c", "B"})
    this->Put(Table::kInodes, key, "x");
  this->Put(Table::kOrphans, "b", "x");

  EXPECT_EQ(this->Scan("a", "c"), "a b b\xff ");
  EXPECT_EQ(this->Scan("", ""), "B a b b\xff c ");
  EXPECT_EQ(this->Scan("d", ""), "");
}

TYPED_TEST(KeyValueStoreTest, FindLastIsTheGreatestBelowTheEnd) {
  for (const char* key : {"a", "c", "e"})
    this->Put(Table::kInodes, key, key);
  auto find = [&](std::string_view begin, std::string_view end) {
    auto entry = this->store().FindLast(Table::kInodes, begin, end).value();
    return entry.has_value() ? entry->key : "none";
  };

  EXPECT_EQ(find("", ""), "e");
  EXPECT_EQ(find("a", "c"), "a");
  EXPECT_EQ(find("a", "d"), "c");
  EXPECT_EQ(find("d", "e"), "none");
  EXPECT_EQ(find("", "a"), "none");
}

TYPED_TEST(KeyValueStoreTest, PositionsGrowAndSyncMakesThemDurable) {
  this->Put(Table::kMeta, "a", "1");
  uint64_t first = this->store().position();
  this->Put(Table::kMeta, "a", "2");
  uint64_t second = this->store().position();

  ASSERT_TRUE(this->store().Sync(second).ok());

  EXPECT_LT(first, second);
  EXPECT_GE(this->store().durable_position(), second);
}

TYPED_TEST(KeyValueStoreTest, ConcurrentWritersAllBecomeDurable) {
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 25; ++i) {
        WriteBatch batch;
        batch.Put(Table::kMeta, std::to_string(writer) + "/" + std::to_string(i), "x");
        auto position = this->store().Apply(batch);
        ASSERT_TRUE(position.ok());
        ASSERT_TRUE(this->store().Sync(*position).ok());
        ASSERT_GE(this->store().durable_position(), *position);
      }
    });
  }
  writers.clear();  // joins

  for (int writer = 0; writer < 4; ++writer) {
    EXPECT_EQ(this->store().Get(Table::kMeta, std::to_string(writer) + "/24").value(), "x");
  }
}

TYPED_TEST(KeyValueStoreTest, WhatIsNewAndDeletedAgainLeavesNoTrace) {
  WriteBatch before;
  before.Put(Table::kInodes, "old", "1");
  ASSERT_TRUE(this->store().Apply(before).ok());
  Transaction txn(this->store());

  txn.PutNew(Table::kInodes, "new", "1");
  EXPECT_EQ(txn.Get(Table::kInodes, "new").value(), "1");
  txn.Put(Table::kInodes, "new", "2");
  EXPECT_EQ(txn.Get(Table::kInodes, "new").value(), "2");
  txn.Delete(Table::kInodes, "new");
  EXPECT_FALSE(txn.Get(Table::kInodes, "new").value().has_value());
  EXPECT_FALSE(txn.has_changes());

  // Not there any more is not new.
  txn.Delete(Table::kInodes, "old");
  txn.PutNew(Table::kInodes, "old", "2");
  txn.Delete(Table::kInodes, "old");
  EXPECT_FALSE(txn.Get(Table::kInodes, "old").value().has_value());
  ASSERT_TRUE(this->store().Apply(txn.TakeBatch()).ok());
  EXPECT_FALSE(this->store().Get(Table::kInodes, "old").value().has_value());
}

TYPED_TEST(KeyValueStoreTest, TransactionSeesItsOwnChangesInOrder) {
  for (const char* key : {"a", "b", "c", "e"})
    this->Put(Table::kInodes, key, "old");
  Transaction txn(this->store());

  txn.Put(Table::kInodes, "b", "new");
  txn.Delete(Table::kInodes, "c");
  txn.Put(Table::kInodes, "d", "new");
  txn.Put(Table::kInodes, "f", "new");

  std::string seen;
  ASSERT_TRUE(txn.Scan(Table::kInodes,
                       "a",
                       "f",
                       [&](std::string_view key, std::string_view value) {
                         seen.append(key).append("=").append(value).append(" ");
                         return true;
                       })
                  .ok());
  EXPECT_EQ(seen, "a=old b=new d=new e=old ");
  EXPECT_EQ(txn.Get(Table::kInodes, "c").value(), std::nullopt);
  EXPECT_EQ(this->store().Get(Table::kInodes, "b").value(), "old");

  ASSERT_TRUE(this->store().Apply(txn.TakeBatch()).ok());
  EXPECT_EQ(this->Scan("a", ""), "a b d e f ");
}

TEST(MemoryStoreTest, CrashLeavesWhatWasSynced) {
  MemoryStore store;
  WriteBatch first;
  first.Put(Table::kMeta, "first", "1");
  ASSERT_TRUE(store.Sync(store.Apply(first).value()).ok());
  WriteBatch second;
  second.Put(Table::kMeta, "second", "1");
  ASSERT_TRUE(store.Apply(second).ok());

  store.Crash();

  EXPECT_TRUE(store.Get(Table::kMeta, "first").value().has_value());
  EXPECT_FALSE(store.Get(Table::kMeta, "second").value().has_value());
}

TEST(RocksDbStoreTest, ReopeningKeepsContentAndPositions) {
  RocksDbFactory factory;
  WriteBatch batch;
  batch.Put(Table::kPrepared, "key", "value");
  uint64_t position = factory.Get().Apply(batch).value();
  ASSERT_TRUE(factory.Get().Sync(position).ok());

  factory.Reopen();

  EXPECT_EQ(factory.Get().Get(Table::kPrepared, "key").value(), "value");
  EXPECT_GE(factory.Get().position(), position);
}

TEST(RocksDbStoreTest, SecondOpenOfTheSameDirectoryIsRefused) {
  RocksDbFactory factory;

  EXPECT_EQ(RocksDbStore::Open({.directory = factory.directory.path() / "db"}).status().code(),
            Code::kUnavailable);
}

TEST(RocksDbStoreTest, TornEndOfTheLogIsDroppedAndDamageBeforeItRefused) {
  // Three records, the last one cut; then a flipped byte in the first.
  TempDirectory directory;
  {
    auto store = RocksDbStore::Open({.directory = directory.path() / "db"}).value();
    for (const char* key : {"one", "two", "three"}) {
      WriteBatch batch;
      batch.Put(Table::kMeta, key, std::string(1000, 'x'));
      ASSERT_TRUE(store->Sync(store->Apply(batch).value()).ok());
    }
    // A copy of the files as they are: what a kill would leave, RocksDB closing cleanly or not.
    std::filesystem::copy(directory.path() / "db", directory.path() / "torn");
    std::filesystem::copy(directory.path() / "db", directory.path() / "flipped");
  }
  auto log_of = [](const std::filesystem::path& path) {
    std::filesystem::path log;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0) log = entry.path();
    }
    return log;
  };
  auto torn = log_of(directory.path() / "torn");
  std::filesystem::resize_file(torn, std::filesystem::file_size(torn) - 10);
  {
    std::fstream flipped(log_of(directory.path() / "flipped"),
                         std::ios::in | std::ios::out | std::ios::binary);
    flipped.seekp(500);
    flipped.put('!');
  }

  auto after_tear = RocksDbStore::Open({.directory = directory.path() / "torn"});
  auto after_flip = RocksDbStore::Open({.directory = directory.path() / "flipped"});

  ASSERT_TRUE(after_tear.ok()) << after_tear.status().ToString();
  EXPECT_TRUE((*after_tear)->Get(Table::kMeta, "two").value().has_value());
  EXPECT_FALSE((*after_tear)->Get(Table::kMeta, "three").value().has_value());
  EXPECT_EQ(after_flip.status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace slipstream::dfs::master
