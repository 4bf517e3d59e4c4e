// The file sinks: what is committed is there once, whatever was tried before.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "processor/connectors/dfs_files.h"
#include "processor/connectors/local_files.h"
#include "processor/connectors/sink_location.h"
#include "tests/unit/runtime/memory_append_store.h"

namespace slipstream::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* kOwner = "job/0/0";
constexpr const char* kFirstPath = "/out/part-0-0-0-12345678.txt";
constexpr const char* kSecondPath = "/out/part-0-0-1-12345678.txt";

// One task's files and what a commit does with them, without Kafka.
class DfsFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { Restart({}, 0); }

  // Like a new owner of the partition.
  void Restart(std::vector<OpenFile> open_files, uint64_t next_number) {
    namer_ = std::make_unique<FileNamer>(0, 0, 0, "12345678-90ab", next_number);
    files_ = std::make_unique<DfsFiles>(
        DfsFiles::Options{.owner = kOwner,
                          .targets = {{0, {.folder = "/out/", .spec = spec_}}},
                          .now_ms = now_ms_},
        compressor_,
        *namer_,
        std::move(open_files));
    incarnation_ = store_.AcquireAppender(kOwner)->incarnation;
  }

  void Append(const std::string& rows) { ASSERT_TRUE(files_->Append(0, "", rows, now_ms_).ok()); }

  Result<std::vector<dfs::PreparedEpoch>> Prepare() {
    const dfs::AppenderEpoch epoch{.owner = kOwner,
                                   .incarnation = incarnation_,
                                   .epoch = ++epoch_,
                                   .committed = committed_,
                                   .files = files_->MakeEpoch()};
    return store_.Prepare(std::vector{epoch}, false);
  }

  Status WriteBlocks() {
    DfsFiles* const all[] = {files_.get()};
    return DfsFiles::WriteEpochs(store_, all);
  }

  // Up to the promise; false if files were lost.
  bool PrepareEpoch(bool is_last = false) {
    files_->EndEpoch(now_ms_, is_last);
    EXPECT_TRUE(WriteBlocks().ok());
    auto prepared = Prepare();
    EXPECT_TRUE(prepared.ok()) << prepared.status().ToString();
    return files_->TakePrepared(prepared->front(), now_ms_).value();
  }

  void Commit() {
    committed_ = {.epoch = epoch_, .incarnation = incarnation_};
    const dfs::AppenderCommit commit{.owner = kOwner, .pair = committed_};
    ASSERT_TRUE(store_.Commit(std::vector{commit}).ok());
  }

  dfs::MemoryAppendStore store_;
  block::FrameCompressor compressor_{1};
  std::unique_ptr<FileNamer> namer_;
  std::unique_ptr<DfsFiles> files_;
  uint64_t incarnation_ = 0;
  uint64_t epoch_ = 0;
  dfs::EpochPair committed_;
  int64_t now_ms_ = 1'000'000;
  FileSinkSpec spec_{.extension = ".txt", .roll_bytes = 100, .roll_interval_ms = 1'000};
};

TEST_F(DfsFilesTest, RowsShowWithTheirCommitAndGrowOneFile) {
  Append("a\n");
  ASSERT_TRUE(PrepareEpoch());
  EXPECT_THAT(store_.Files(), IsEmpty());

  Commit();
  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "a\n")));

  Append("b\n");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "a\nb\n")));
  EXPECT_TRUE(store_.IsOpen(kFirstPath));
}

TEST_F(DfsFilesTest, AFullFileIsClosedAndTheNextOneBegun) {
  const std::string rows(150, 'x');
  Append(rows);
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  EXPECT_FALSE(store_.IsOpen(kFirstPath));
  EXPECT_THAT(files_->open_files(), IsEmpty());

  Append("y");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, rows), Pair(kSecondPath, "y")));
}

TEST_F(DfsFilesTest, AnOldFileIsClosedEvenWithoutNewRows) {
  Append("a");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  EXPECT_FALSE(files_->HasRollDue(now_ms_));

  now_ms_ += 1'000;
  EXPECT_TRUE(files_->HasRollDue(now_ms_));
  ASSERT_TRUE(PrepareEpoch());
  Commit();

  EXPECT_FALSE(store_.IsOpen(kFirstPath));
  EXPECT_FALSE(files_->HasRollDue(now_ms_));
}

TEST_F(DfsFilesTest, AFileWithoutNewRowsForAWhileIsClosed) {
  spec_.roll_interval_ms = 1'000'000;
  spec_.roll_inactivity_ms = 500;
  Restart({}, 0);
  Append("a");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  now_ms_ += 400;
  Append("b");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  now_ms_ += 400;
  EXPECT_FALSE(files_->HasRollDue(now_ms_));
  Restart(files_->open_files(), 1);
  now_ms_ += 400;
  EXPECT_FALSE(files_->HasRollDue(now_ms_)) << "a restored file counts as just written";

  now_ms_ += 100;
  EXPECT_TRUE(files_->HasRollDue(now_ms_));
  ASSERT_TRUE(PrepareEpoch());
  Commit();

  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "ab")));
  EXPECT_FALSE(store_.IsOpen(kFirstPath));
}

TEST_F(DfsFilesTest, RowsThatAreNotCompressedYetCountAsStaged) {
  const std::string rows(10'000, 'x');  // compressed they would be nothing
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(files_->Append(0, "k=" + std::to_string(i) + "/", rows, now_ms_).ok());
  EXPECT_GE(files_->staged_bytes(), 10U * rows.size());

  ASSERT_TRUE(PrepareEpoch());
  EXPECT_EQ(files_->staged_bytes(), 0U);
}

TEST_F(DfsFilesTest, OfTooManyOpenFilesTheOldestAreClosed) {
  const size_t surplus = 5;
  for (size_t i = 0; i < kOpenFilesMax + surplus; ++i)
    ASSERT_TRUE(files_->Append(0, "k=" + std::to_string(i) + "/", "x", now_ms_).ok());
  ASSERT_TRUE(files_->Append(0, "k=0/", "x", now_ms_).ok());

  ASSERT_TRUE(PrepareEpoch());
  Commit();

  const std::vector<OpenFile> open = files_->open_files();
  EXPECT_EQ(open.size(), kOpenFilesMax);
  const auto is_open = [&](const std::string& partition_path) {
    return std::any_of(open.begin(), open.end(), [&](const OpenFile& file) {
      return file.partition_path == partition_path;
    });
  };
  EXPECT_TRUE(is_open("k=0/"));
  EXPECT_FALSE(is_open("k=1/"));
  EXPECT_FALSE(is_open("k=5/"));
  EXPECT_TRUE(is_open("k=6/"));
  EXPECT_EQ(store_.Files().size(), kOpenFilesMax + surplus);
}

TEST_F(DfsFilesTest, TheLastEpochClosesAll) {
  Append("a");
  ASSERT_TRUE(PrepareEpoch(/*is_last=*/true));
  Commit();
  EXPECT_FALSE(store_.IsOpen(kFirstPath));
}

TEST_F(DfsFilesTest, AnEpochThatKafkaNeverRecordedLeavesNothing) {
  Append("a\n");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  const std::vector<OpenFile> mark = files_->open_files();
  const uint64_t next_number = namer_->next_number();
  Append("lost\n");
  ASSERT_TRUE(PrepareEpoch());  // the crash comes here

  epoch_ = committed_.epoch;
  Restart(mark, next_number);
  Append("b\n");
  ASSERT_TRUE(PrepareEpoch());
  EXPECT_EQ(store_.prepared_count(), 2U);  // side by side
  Commit();

  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "a\nb\n")));
  EXPECT_EQ(store_.prepared_count(), 0U);
}

TEST_F(DfsFilesTest, ANewOwnerMayReuseTheNameOfAFileThatNeverWas) {
  Append("lost");
  ASSERT_TRUE(PrepareEpoch());

  epoch_ = 0;
  Restart({}, 0);
  Append("a");
  ASSERT_TRUE(PrepareEpoch());
  Commit();

  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "a")));
}

TEST_F(DfsFilesTest, AZombieIsFenced) {
  Append("zombie");
  files_->EndEpoch(now_ms_, false);
  ASSERT_TRUE(WriteBlocks().ok());
  ASSERT_TRUE(store_.AcquireAppender(kOwner).ok());

  EXPECT_EQ(Prepare().status().code(), Code::kAborted);
}

TEST_F(DfsFilesTest, RowsOfADeletedFileGoToANewOne) {
  Append("a");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  store_.Delete(kFirstPath);

  Append("b");
  EXPECT_FALSE(PrepareEpoch());
  EXPECT_TRUE(files_->has_epoch());
  incarnation_ = store_.AcquireAppender(kOwner)->incarnation;
  ASSERT_TRUE(WriteBlocks().ok());
  auto prepared = Prepare();
  ASSERT_TRUE(prepared.ok());
  ASSERT_TRUE(files_->TakePrepared(prepared->front(), now_ms_).value());
  Commit();

  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kSecondPath, "b")));
}

TEST_F(DfsFilesTest, ADeletedFileWithoutNewRowsIsForgotten) {
  Append("a");
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  store_.Delete(kFirstPath);

  EXPECT_FALSE(PrepareEpoch(/*is_last=*/true));

  EXPECT_FALSE(files_->has_epoch());
  files_->EndEpoch(now_ms_, true);
  EXPECT_FALSE(files_->has_epoch());
  EXPECT_THAT(files_->open_files(), IsEmpty());
}

TEST_F(DfsFilesTest, WritingIsTakenUpAgainAfterAnOutage) {
  Append("a");
  files_->EndEpoch(now_ms_, false);
  store_.FailNext(1);
  EXPECT_EQ(WriteBlocks().code(), Code::kUnavailable);
  EXPECT_TRUE(WriteBlocks().ok());
  auto prepared = Prepare();
  ASSERT_TRUE(prepared.ok());
  ASSERT_TRUE(files_->TakePrepared(prepared->front(), now_ms_).value());
  Commit();
  EXPECT_THAT(store_.Files(), ElementsAre(Pair(kFirstPath, "a")));
}

TEST_F(DfsFilesTest, TheBlocksOfSeveralTasksGoOutTogether) {
  FileNamer other_namer(0, 0, 1, "12345678-90ab", 0);
  DfsFiles other(
      {.owner = "job/0/1", .targets = {{0, {.folder = "/out/", .spec = {.extension = ".txt"}}}}},
      compressor_,
      other_namer,
      {});
  Append("a");
  ASSERT_TRUE(other.Append(0, "k=1/", "b", now_ms_).ok());
  ASSERT_TRUE(other.Append(0, "k=2/", "c", now_ms_).ok());
  files_->EndEpoch(now_ms_, false);
  other.EndEpoch(now_ms_, false);
  DfsFiles* const all[] = {files_.get(), &other};

  ASSERT_TRUE(DfsFiles::WriteEpochs(store_, all).ok());
  ASSERT_TRUE(DfsFiles::WriteEpochs(store_, all).ok());

  EXPECT_EQ(store_.write_count(), 1);
  ASSERT_EQ(other.MakeEpoch().size(), 2U);
  EXPECT_EQ(files_->MakeEpoch()[0].blocks.size(), 1U);
  EXPECT_EQ(other.MakeEpoch()[0].blocks.size(), 1U);
  EXPECT_EQ(other.MakeEpoch()[1].blocks.size(), 1U);
}

TEST_F(DfsFilesTest, OnlyOpenFilesMakeARollDue) {
  Append(std::string(150, 'x'));  // full: closed with its first epoch
  ASSERT_TRUE(PrepareEpoch());
  Commit();
  now_ms_ += 10'000;
  EXPECT_FALSE(files_->HasRollDue(now_ms_));

  // One that was restored with more than may be, since the options have changed.
  Restart({{.path = kFirstPath, .inode_id = 7, .length_bytes = 150, .opened_at_ms = now_ms_}}, 1);
  EXPECT_TRUE(files_->HasRollDue(now_ms_));
}

// ---- Local files ----

class LocalFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/slipstream-local-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir_ = name;
    Restart({}, 0);
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Restart(std::vector<OpenFile> open_files, uint64_t next_number) {
    namer_ = std::make_unique<FileNamer>(0, 0, 0, "12345678", next_number);
    files_ = std::make_unique<LocalFiles>(
        LocalFiles::Options{
            .targets = {{0,
                         {.folder = dir_ + "/",
                          .spec = {.extension = ".txt", .roll_inactivity_ms = 500}}}}},
        *namer_,
        std::move(open_files));
  }

  void Write(const std::string& partition_path, const std::string& rows) {
    ASSERT_TRUE(files_->Append(0, partition_path, rows, 0).ok());
    ASSERT_TRUE(files_->Flush(0, false).ok());
  }

  // Every file below the folder and what is in it.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::recursive_directory_iterator(dir_)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      contents[fs::relative(entry.path(), dir_)] = text.str();
    }
    return contents;
  }

  std::string dir_;
  std::unique_ptr<FileNamer> namer_;
  std::unique_ptr<LocalFiles> files_;
};

TEST_F(LocalFilesTest, RestoreCutsBackAndRemovesWhatNoMarkKnows) {
  Write("k=1/", "a\n");
  const std::vector<OpenFile> mark = files_->open_files();
  const uint64_t next_number = namer_->next_number();
  Write("k=1/", "lost\n");
  Write("k=2/", "lost too\n");
  std::ofstream(dir_ + "/k=1/somebody-elses.txt") << "stays";

  Restart(mark, next_number);
  ASSERT_TRUE(files_->Restore().ok());
  Write("k=1/", "b\n");

  EXPECT_THAT(Contents(),
              ElementsAre(Pair("k=1/part-0-0-0-12345678.txt", "a\nb\n"),
                          Pair("k=1/somebody-elses.txt", "stays")));
}

TEST_F(LocalFilesTest, AFileWithoutNewRowsForAWhileIsClosed) {
  ASSERT_TRUE(files_->Append(0, "", "a\n", 0).ok());
  ASSERT_TRUE(files_->Flush(0, false).ok());
  ASSERT_TRUE(files_->Append(0, "", "b\n", 400).ok());
  ASSERT_TRUE(files_->Flush(800, false).ok());
  EXPECT_FALSE(files_->HasRollDue(899));
  EXPECT_TRUE(files_->HasRollDue(900));
  ASSERT_TRUE(files_->Flush(900, false).ok());
  EXPECT_TRUE(files_->open_files().empty());
}

TEST_F(LocalFilesTest, NestedFoldersAreMade) {
  Write("year=2013/month=1/", "a");
  Write("year=2013/month=2/", "b");
  std::ofstream(dir_ + "/year=2014") << "a file";

  ASSERT_TRUE(files_->Append(0, "year=2014/month=1/", "c", 0).ok());

  EXPECT_FALSE(files_->Flush(0, false).ok());
  EXPECT_EQ(Contents().size(), 3U);
}

TEST_F(LocalFilesTest, OfTooManyOpenFilesTheOldestAreClosed) {
  for (size_t i = 0; i < kOpenFilesMax + 1; ++i)
    ASSERT_TRUE(files_->Append(0, "", std::to_string(i) + "\n", 0).ok());
  for (size_t i = 0; i < kOpenFilesMax + 1; ++i)
    ASSERT_TRUE(files_->Append(0, "k=" + std::to_string(i) + "/", "x", 0).ok());
  ASSERT_TRUE(files_->Append(0, "k=0/", "x", 0).ok());

  ASSERT_TRUE(files_->Flush(0, false).ok());

  const std::vector<OpenFile> open = files_->open_files();
  EXPECT_EQ(open.size(), kOpenFilesMax);
  EXPECT_TRUE(std::none_of(open.begin(), open.end(), [](const OpenFile& file) {
    return file.partition_path.empty() || file.partition_path == "k=1/";
  }));
}

TEST_F(LocalFilesTest, AShorterFileThanItsMarkIsDataLoss) {
  Write("", "abc");
  const std::vector<OpenFile> mark = files_->open_files();
  fs::resize_file(mark[0].path, 1);

  Restart(mark, 1);

  EXPECT_EQ(files_->Restore().code(), Code::kDataLoss);
}

TEST_F(LocalFilesTest, AZombieDoesNotWriteOverItsSuccessor) {
  Write("", "a");
  const std::vector<OpenFile> mark = files_->open_files();
  auto zombie = std::move(files_);
  auto zombie_namer = std::move(namer_);
  Restart(mark, 1);
  ASSERT_TRUE(files_->Restore().ok());
  Write("", "b");
  Write("k=1/", "c");

  ASSERT_TRUE(zombie->Append(0, "", "x", 0).ok());
  EXPECT_EQ(zombie->Flush(0, false).code(), Code::kAborted);
  ASSERT_TRUE(zombie->Append(0, "k=1/", "x", 0).ok());
  EXPECT_EQ(zombie->Flush(0, false).code(), Code::kAborted);

  EXPECT_THAT(
      Contents(),
      ElementsAre(Pair("k=1/part-0-0-1-12345678.txt", "c"), Pair("part-0-0-0-12345678.txt", "ab")));
}

TEST(SinkLocationTest, TellsDfsFromLocal) {
  struct Case {
    const char* path;
    bool is_dfs;
    const char* authority;
    const char* folder;
  };
  for (const Case& expected : {Case{"dfs:///delays/", true, "", "/delays/"},
                               Case{"dfs://host:7400/x", true, "host:7400", "/x/"},
                               Case{"file:///tmp/x", false, "", "/tmp/x/"},
                               Case{"/tmp/x/", false, "", "/tmp/x/"}}) {
    const auto location = ParseSinkLocation(expected.path);
    ASSERT_TRUE(location.ok()) << expected.path;
    EXPECT_EQ(location->is_dfs, expected.is_dfs);
    EXPECT_EQ(location->authority, expected.authority);
    EXPECT_EQ(location->folder, expected.folder);
  }
  for (const char* path : {"", "relative/x", "dfs://host:7400", "s3://bucket/x"}) {
    EXPECT_EQ(ParseSinkLocation(path).status().code(), Code::kInvalidArgument) << path;
  }
}

}  // namespace
}  // namespace slipstream::runtime
