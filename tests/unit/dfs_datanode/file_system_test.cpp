// The same suite over the machine's file system and the one in memory: what tests of the stores
// rely on must be what the disk does.

#include "common/fs/file_system.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "common/fs/memory_file_system.h"
#include "common/fs/posix_file_system.h"

namespace slipstream {
namespace {

using testing::UnorderedElementsAre;

struct OnDisk {
  OnDisk() {
    std::string pattern = std::filesystem::temp_directory_path() / "slipstream_fs_XXXXXX";
    root = mkdtemp(pattern.data());
  }
  ~OnDisk() { std::filesystem::remove_all(root); }
  OnDisk(const OnDisk&) = delete;
  OnDisk& operator=(const OnDisk&) = delete;

  FileSystem& fs() { return PosixFileSystem::Get(); }
  std::string root;
};

struct InMemory {
  InMemory() { EXPECT_TRUE(memory.MakeDirectories(root).ok()); }
  FileSystem& fs() { return memory; }
  MemoryFileSystem memory;
  std::string root = "/root";
};

template <class Place>
class FileSystemTest : public testing::Test {
 protected:
  FileSystem& fs() { return place_.fs(); }
  std::string Path(const std::string& name) const { return place_.root + "/" + name; }

  Place place_;
};

using Places = testing::Types<OnDisk, InMemory>;
TYPED_TEST_SUITE(FileSystemTest, Places);

std::string ReadAt(const File& file, uint64_t offset, size_t length) {
  std::string bytes(length, '?');
  bytes.resize(file.Read(offset, bytes.data(), length).value());
  return bytes;
}

TYPED_TEST(FileSystemTest, ReadsWhatWasWrittenAndLessOnlyAtTheEnd) {
  std::unique_ptr<File> file = this->fs().Open(this->Path("a"), OpenMode::kCreate).value();
  ASSERT_TRUE(file->Allocate(1'000).ok());
  EXPECT_EQ(*file->Size(), 0u);
  ASSERT_TRUE(file->Write(0, "hello").ok());
  ASSERT_TRUE(file->Write(8, "world").ok());
  ASSERT_TRUE(file->Sync().ok());

  EXPECT_EQ(ReadAt(*file, 0, 100), std::string("hello\0\0\0world", 13));
  EXPECT_EQ(ReadAt(*file, 8, 3), "wor");
  EXPECT_EQ(ReadAt(*file, 13, 1), "");
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(*file->Size(), 2u);
  EXPECT_EQ(ReadAt(*this->fs().Open(this->Path("a"), OpenMode::kRead).value(), 0, 9), "he");
}

TYPED_TEST(FileSystemTest, OpensByItsMode) {
  EXPECT_EQ(this->fs().Open(this->Path("a"), OpenMode::kRead).status().code(), Code::kNotFound);
  EXPECT_EQ(this->fs().Open(this->Path("a"), OpenMode::kUpdate).status().code(), Code::kNotFound);
  EXPECT_EQ(this->fs().Open(this->Path("no/a"), OpenMode::kCreate).status().code(),
            Code::kNotFound);
  ASSERT_TRUE(this->fs().Open(this->Path("a"), OpenMode::kCreate).ok());
  EXPECT_EQ(this->fs().Open(this->Path("a"), OpenMode::kCreate).status().code(),
            Code::kAlreadyExists);
  EXPECT_TRUE(this->fs().Open(this->Path("a"), OpenMode::kUpdate).value()->Write(0, "x").ok());
}

TYPED_TEST(FileSystemTest, RenamesRemovesAndLists) {
  ASSERT_TRUE(this->fs().MakeDirectories(this->Path("d/e")).ok());
  ASSERT_TRUE(this->fs().MakeDirectories(this->Path("d/e")).ok());
  ASSERT_TRUE(WriteSmallFile(this->fs(), this->Path("d/a"), "1").ok());
  ASSERT_TRUE(WriteSmallFile(this->fs(), this->Path("d/b"), "2").ok());
  ASSERT_TRUE(this->fs().Rename(this->Path("d/a"), this->Path("d/b")).ok());
  EXPECT_EQ(this->fs().Rename(this->Path("d/a"), this->Path("d/b")).code(), Code::kNotFound);
  EXPECT_EQ(*ReadSmallFile(this->fs(), this->Path("d/b"), 10), "1");

  std::vector<std::string> names;
  const std::vector<DirectoryEntry> entries = this->fs().List(this->Path("d")).value();
  for (const DirectoryEntry& entry : entries) {
    names.push_back(entry.name + (entry.is_directory ? "/" : ""));
  }
  EXPECT_THAT(names, UnorderedElementsAre("b", "e/"));
  ASSERT_TRUE(this->fs().SyncDirectory(this->Path("d")).ok());
  ASSERT_TRUE(this->fs().Remove(this->Path("d/b")).ok());
  EXPECT_EQ(this->fs().Remove(this->Path("d/b")).code(), Code::kNotFound);
  EXPECT_EQ(this->fs().List(this->Path("none")).status().code(), Code::kNotFound);
}

TYPED_TEST(FileSystemTest, AnOpenFileOutlivesItsName) {
  ASSERT_TRUE(WriteSmallFile(this->fs(), this->Path("a"), "content").ok());
  std::unique_ptr<File> file = this->fs().Open(this->Path("a"), OpenMode::kRead).value();
  ASSERT_TRUE(this->fs().Remove(this->Path("a")).ok());

  EXPECT_EQ(ReadAt(*file, 0, 100), "content");
}

TYPED_TEST(FileSystemTest, SmallFilesAreBoundedAndReplacedWhole) {
  ASSERT_TRUE(WriteSmallFile(this->fs(), this->Path("a"), "12345").ok());
  ASSERT_TRUE(WriteSmallFile(this->fs(), this->Path("a"), "123456").ok());

  EXPECT_EQ(*ReadSmallFile(this->fs(), this->Path("a"), 6), "123456");
  EXPECT_EQ(ReadSmallFile(this->fs(), this->Path("a"), 5).status().code(), Code::kDataLoss);
}

TYPED_TEST(FileSystemTest, ALockHasOneHolder) {
  std::unique_ptr<FileLock> lock = this->fs().Lock(this->Path("LOCK")).value();
  EXPECT_EQ(this->fs().Lock(this->Path("LOCK")).status().code(), Code::kFailedPrecondition);
  lock.reset();
  EXPECT_TRUE(this->fs().Lock(this->Path("LOCK")).ok());
}

TYPED_TEST(FileSystemTest, KnowsTheRoom) {
  Result<DiskSpace> space = this->fs().Space(this->Path(""));
  ASSERT_TRUE(space.ok());
  EXPECT_GT(space->capacity_bytes, 0u);
  EXPECT_LE(space->available_bytes, space->capacity_bytes);
}

TEST(MemoryFileSystemTest, ACrashKeepsWhatWasSynced) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem fs;
    ASSERT_TRUE(fs.MakeDirectories("/d").ok());
    ASSERT_TRUE(WriteSmallFile(fs, "/d/synced", std::string(2'000, 'a')).ok());
    {
      std::unique_ptr<File> file = fs.Open("/d/synced", OpenMode::kUpdate).value();
      ASSERT_TRUE(file->Write(2'000, std::string(2'000, 'b')).ok());
      ASSERT_TRUE(fs.Open("/d/unsynced", OpenMode::kCreate).value()->Write(0, "x").ok());
    }
    fs.Crash(seed);

    const std::string content = fs.Content("/d/synced");
    EXPECT_EQ(content.substr(0, 2'000), std::string(2'000, 'a'));
    EXPECT_TRUE(std::all_of(
        content.begin() + 2'000, content.end(), [](char c) { return c == 'b' || c == '\0'; }));
  }
}

TEST(MemoryFileSystemTest, EveryOperationFailsWhenItIsToldTo) {
  using Operation = MemoryFileSystem::Operation;
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.MakeDirectories("/d").ok());
  ASSERT_TRUE(WriteSmallFile(fs, "/d/a", "content").ok());
  const std::unique_ptr<File> file = fs.Open("/d/a", OpenMode::kUpdate).value();
  char byte = 0;
  const std::vector<std::pair<Operation, std::function<Code()>>> operations = {
      {Operation::kOpen, [&] { return fs.Open("/d/a", OpenMode::kRead).status().code(); }},
      {Operation::kRead, [&] { return file->Read(0, &byte, 1).status().code(); }},
      {Operation::kWrite, [&] { return file->Write(0, "c").code(); }},
      {Operation::kTruncate, [&] { return file->Truncate(7).code(); }},
      {Operation::kSync, [&] { return file->Sync().code(); }},
      {Operation::kRename, [&] { return fs.Rename("/d/a", "/d/a").code(); }},
      {Operation::kMakeDirectories, [&] { return fs.MakeDirectories("/d/e").code(); }},
      {Operation::kSyncDirectory, [&] { return fs.SyncDirectory("/d").code(); }},
      {Operation::kList, [&] { return fs.List("/d").status().code(); }},
      {Operation::kSpace, [&] { return fs.Space("/d").status().code(); }},
      {Operation::kRemove, [&] { return fs.Remove("/d/a").code(); }},
  };
  for (const auto& [failing, call] : operations) {
    fs.SetFault([failing = failing](Operation operation, const std::string&) {
      return operation == failing ? Unavailable("input/output error") : Status();
    });
    EXPECT_EQ(call(), Code::kUnavailable) << static_cast<int>(failing);
    fs.SetFault(nullptr);
    EXPECT_EQ(call(), Code::kOk) << static_cast<int>(failing);
  }
}

TEST(MemoryFileSystemTest, AFullDiskTakesNoMore) {
  MemoryFileSystem fs(100);
  std::unique_ptr<File> file = fs.Open("/a", OpenMode::kCreate).value();
  EXPECT_TRUE(file->Write(0, std::string(100, 'a')).ok());
  EXPECT_EQ(file->Write(100, "b").code(), Code::kResourceExhausted);
  EXPECT_EQ(file->Allocate(1).code(), Code::kResourceExhausted);
  EXPECT_TRUE(file->Write(0, "c").ok());
}

}  // namespace
}  // namespace slipstream
