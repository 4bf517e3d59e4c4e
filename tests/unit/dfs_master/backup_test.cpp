// Copies of a store on disk, and data directories made of them.

#include "dfs-master/backup.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "common/fs/posix_file_system.h"
#include "dfs-master/restore_gate.h"

namespace slipstream::dfs::master {
namespace {

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "backup-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    OpenStore();
  }
  ~BackupTest() override {
    store_.reset();
    std::filesystem::remove_all(dir_);
  }

  void OpenStore() {
    auto opened = RocksDbStore::Open({.directory = dir_ / "data" / "meta", .on_fatal = {}});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(*opened);
  }
  void Put(const std::string& key, const std::string& value) {
    WriteBatch batch;
    batch.Put(Table::kInodes, key, value);
    auto position = store_->Apply(batch);
    ASSERT_TRUE(position.ok() && store_->Sync(*position).ok());
  }
  Result<BackupInfo> Make() { return MakeBackup(*store_, dir_ / "backup", fs_, 1'000); }
  Result<BackupInfo> Restore() {
    return RestoreBackup(dir_ / "backup", dir_ / "restored", fs_, 2'000);
  }
  std::string ValueOf(const KeyValueStore& store, const std::string& key) {
    return store.Get(Table::kInodes, key)->value_or("none");
  }

  std::filesystem::path dir_;
  PosixFileSystem& fs_ = PosixFileSystem::Get();
  std::unique_ptr<RocksDbStore> store_;
};

TEST_F(BackupTest, ACopyHasWhatWasThereAndNothingLater) {
  Put("a", "1");
  auto info = Make();
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  const uint64_t position = store_->position();
  EXPECT_EQ(info->log_position, position);
  EXPECT_GT(info->bytes, 0U);
  Put("b", "2");
  Put("a", "3");

  auto restored = Restore();
  ASSERT_TRUE(restored.ok()) << restored.status().ToString();
  EXPECT_EQ(restored->log_position, position);
  auto opened = RocksDbStore::Open({.directory = dir_ / "restored" / "meta", .on_fatal = {}});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(ValueOf(**opened, "a"), "1");
  EXPECT_EQ(ValueOf(**opened, "b"), "none");
  RestoreGate gate;
  ASSERT_TRUE(gate.Load(**opened).ok());
  EXPECT_EQ(gate.phase(), RestorePhase::kRestored);
  EXPECT_EQ(gate.backup_position(), position);
  EXPECT_EQ(ValueOf(*store_, "a"), "3");
}

TEST_F(BackupTest, DirectoriesThatAreNotEmptyAreLeftAlone) {
  Put("a", "1");
  ASSERT_TRUE(Make().ok());

  EXPECT_EQ(Make().status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(Restore().ok());
  EXPECT_EQ(Restore().status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(MakeBackup(*store_, "relative", fs_, 0).status().code(), Code::kInvalidArgument);
}

TEST_F(BackupTest, WhatIsNoWholeCopyIsRefused) {
  Put("a", std::string(10'000, 'x'));
  EXPECT_EQ(Restore().status().code(), Code::kNotFound);
  ASSERT_TRUE(Make().ok());
  std::ofstream(dir_ / "backup" / "BACKUP") << "something else\n";

  EXPECT_EQ(Restore().status().code(), Code::kDataLoss);
  std::filesystem::remove(dir_ / "backup" / "BACKUP");
  EXPECT_EQ(Restore().status().code(), Code::kNotFound);
}

TEST_F(BackupTest, AnUnfinishedRestoreIsNoDataDirectory) {
  const std::filesystem::path data_dir = dir_ / "restored";
  EXPECT_TRUE(CheckRestoreIsWhole(data_dir).ok());
  std::filesystem::create_directories(data_dir / "meta.restoring");

  EXPECT_EQ(CheckRestoreIsWhole(data_dir).code(), Code::kFailedPrecondition);
  std::filesystem::remove(data_dir / "meta.restoring");
  Put("a", "1");
  ASSERT_TRUE(Make().ok());
  ASSERT_TRUE(Restore().ok());
  EXPECT_TRUE(CheckRestoreIsWhole(data_dir).ok());
}

}  // namespace
}  // namespace slipstream::dfs::master
