#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "common/scratch/rocksdb_scratch.h"

namespace slipstream::sql {

// TinyScratch: a store without a cache, or with one of a few bytes: whatever can be out of memory
// is, so that a few rows try what otherwise takes gigabytes.
class TinyScratch {
 public:
  explicit TinyScratch(size_t cache_bytes = 0) {
    std::string dir = (std::filesystem::temp_directory_path() / "scratch-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(dir.data()), nullptr);
    dir_ = dir;
    Result<std::unique_ptr<ScratchStore>> store = OpenRocksDbScratch(
        {.dir = dir_, .name = "test", .memory_bytes = size_t{8} << 20, .cache_bytes = cache_bytes});
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }
  ~TinyScratch() {
    EXPECT_EQ(store_->status(), Status());
    store_.reset();
    EXPECT_TRUE(std::filesystem::is_empty(dir_)) << "it leaves something behind";
    std::filesystem::remove_all(dir_);
  }
  TinyScratch(const TinyScratch&) = delete;
  TinyScratch& operator=(const TinyScratch&) = delete;

  ScratchStore* get() const { return store_.get(); }

 private:
  std::filesystem::path dir_;
  std::unique_ptr<ScratchStore> store_;
};

}  // namespace slipstream::sql
