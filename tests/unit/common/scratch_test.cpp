#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/scratch/rocksdb_scratch.h"

namespace slipstream {
namespace {

class ScratchTest : public testing::Test {
 protected:
  ScratchTest() {
    std::string dir = (std::filesystem::temp_directory_path() / "scratch-XXXXXX").string();
    EXPECT_NE(::mkdtemp(dir.data()), nullptr);
    dir_ = dir;
  }
  ~ScratchTest() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<ScratchStore> Open(size_t memory_bytes = size_t{8} << 20) {
    auto store = OpenRocksDbScratch({.dir = dir_, .name = "job", .memory_bytes = memory_bytes});
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return *std::move(store);
  }
  static std::vector<std::string> Scan(ScratchSpace& space, const std::string& prefix) {
    std::vector<std::string> found;
    space.Scan(prefix, [&](std::string_view key, std::string_view value) {
      found.push_back(std::string(key) + "=" + std::string(value));
      return true;
    });
    return found;
  }
  size_t Folders() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(dir_),
                                             std::filesystem::directory_iterator()));
  }

  using Lines = std::vector<std::string>;

  std::filesystem::path dir_;
};

TEST_F(ScratchTest, SpacesDoNotSeeEachOther) {
  const auto store = Open();
  const auto one = store->NewSpace();
  const auto two = store->NewSpace();
  one->Put("b", "1");
  one->Put("a\xFF", "2");
  one->Put("a", "3");
  two->Put("a", "4");
  two->Put("c", "5");
  two->Delete("c");

  EXPECT_EQ(Scan(*one, ""), (Lines{"a=3", "a\xFF=2", "b=1"}));
  EXPECT_EQ(Scan(*one, "a"), (Lines{"a=3", "a\xFF=2"}));
  EXPECT_EQ(Scan(*two, ""), Lines{"a=4"});
  std::string value;
  EXPECT_TRUE(two->Get("a", value));
  EXPECT_EQ(value, "4");
  EXPECT_FALSE(two->Get("c", value));
  EXPECT_EQ(store->status(), Status());
}

TEST_F(ScratchTest, AScanSeesWhatWasThereWhenItBegan) {
  const auto store = Open();
  const auto space = store->NewSpace();
  for (const char* key : {"a", "b", "c"})
    space->Put(key, key);
  std::string seen;
  space->Scan("", [&](std::string_view key, std::string_view) {
    seen += key;
    space->Delete("c");
    space->Put("d", "");
    return true;
  });

  EXPECT_EQ(seen, "abc");
  EXPECT_EQ(Scan(*space, ""), (Lines{"a=a", "b=b", "d="}));
}

TEST_F(ScratchTest, AFailureIsKeptAndNothingIsFoundFromThenOn) {
  const auto store = Open();
  const auto space = store->NewSpace();
  space->Put("a", "1");
  space->Fail(DataLoss("first"));
  space->Fail(Internal("second"));

  EXPECT_EQ(store->status().code(), Code::kDataLoss);
  std::string value;
  EXPECT_FALSE(space->Get("a", value));
  EXPECT_EQ(Scan(*space, ""), Lines());
}

TEST_F(ScratchTest, ItSharesItsCacheAmongTheSpacesThatHaveSomethingThere) {
  const auto store = Open(size_t{8} << 20);
  auto one = store->NewSpace();
  EXPECT_EQ(one->cache_bytes(), size_t{4} << 20);
  auto two = store->NewSpace();
  EXPECT_EQ(one->cache_bytes(), size_t{4} << 20);
  two->SetCached(100);
  EXPECT_EQ(one->cache_bytes(), size_t{2} << 20);
  EXPECT_EQ(two->cache_bytes(), size_t{4} << 20);
  one->SetCached(10);
  EXPECT_EQ(two->cache_bytes(), size_t{2} << 20);
  two->SetCached(50);
  EXPECT_EQ(store->counters().cached_bytes, 60U);
  two->SetCached(0);
  EXPECT_EQ(one->cache_bytes(), size_t{4} << 20);
  two->SetCached(50);
  two.reset();
  EXPECT_EQ(store->counters().cached_bytes, 10U);
  EXPECT_EQ(one->cache_bytes(), size_t{4} << 20);
}

TEST_F(ScratchTest, WhatAKilledProcessLeftIsRemovedAndWhatAnotherUsesIsNot) {
  const std::filesystem::path left = dir_ / "job.scratch-killed";
  const std::filesystem::path others = dir_ / "job2.scratch-other";
  for (const auto& dir : {left, others}) {
    std::filesystem::create_directory(dir);
    std::ofstream(dir / "000007.sst") << "something";
  }
  auto first = Open();
  const auto space = first->NewSpace();
  space->Put("a", "1");
  {
    const auto second = Open();
    EXPECT_EQ(Folders(), 3U) << "two stores and that of another job";
  }

  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(others));
  EXPECT_EQ(Scan(*space, ""), Lines{"a=1"});
}

}  // namespace
}  // namespace slipstream
