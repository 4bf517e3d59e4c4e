#include <atomic>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crc32c/crc32c.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/hdfs_checksum.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/dfs_client/fake_cluster.h"
#include "tests/unit/dfs_client/test_bytes.h"

namespace slipstream::dfs {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AppendTest : public ::testing::Test {
 protected:
  Status Store(const std::string& path, const std::string& content) {
    auto writer = client_->CreateFile(path);
    RETURN_IF_ERROR(writer->Write(content));
    return writer->Close();
  }

  Result<std::string> Read(const std::string& path) {
    ASSIGN_OR_RETURN(auto reader, client_->OpenFile(path));
    return reader->ReadAt(0, reader->status().length_bytes);
  }

  FakeCluster cluster_;
  std::unique_ptr<DfsClient> client_ = cluster_.Connect();
};

TEST_F(AppendTest, WhatIsFlushedIsVisible) {
  ASSERT_OK(Store("/f", "one "));

  ASSERT_OK_AND_ASSIGN(auto appender, client_->AppendFile("/f"));
  ASSERT_OK(appender->Write("two "));
  EXPECT_EQ(Read("/f").value(), "one ");
  ASSERT_OK(appender->Flush());
  EXPECT_EQ(Read("/f").value(), "one two ");
  ASSERT_OK(appender->Write("three"));
  ASSERT_OK(appender->Close());

  EXPECT_EQ(Read("/f").value(), "one two three");
  EXPECT_EQ(appender->length_bytes(), 13U);
  EXPECT_THAT(cluster_.master().Find("/f")->writer, IsEmpty());
  EXPECT_OK(appender->Close());
}

TEST_F(AppendTest, AFileOfAnotherWriterIsRefusedByName) {
  ASSERT_OK(Store("/f", "one"));
  ASSERT_OK_AND_ASSIGN(auto appender, client_->AppendFile("/f"));

  const Status refused = client_->AppendFile("/f").status();

  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr(cluster_.master().Find("/f")->writer));
}

TEST_F(AppendTest, AnAppenderThatGoesGivesTheFileUp) {
  ASSERT_OK(Store("/f", "one"));
  {
    ASSERT_OK_AND_ASSIGN(auto appender, client_->AppendFile("/f"));
    ASSERT_OK(appender->Write("lost"));
  }

  EXPECT_THAT(cluster_.master().Find("/f")->writer, IsEmpty());
  EXPECT_EQ(Read("/f").value(), "one");
}

TEST_F(AppendTest, AnAnswerThatGetsLostAppendsOnce) {
  ASSERT_OK(Store("/f", "one "));
  ASSERT_OK_AND_ASSIGN(auto appender, client_->AppendFile("/f"));
  ASSERT_OK(appender->Write("two"));
  std::atomic<int> answers = 0;
  cluster_.master().OnPrepared(
      [&] { return ++answers < 3 ? Unavailable("the answer was lost") : Status(); });

  ASSERT_OK(appender->Close());

  EXPECT_EQ(answers, 3);
  EXPECT_EQ(Read("/f").value(), "one two");
}

TEST_F(AppendTest, AMissingFileIsNotMade) {
  EXPECT_EQ(client_->AppendFile("/f").status().code(), Code::kNotFound);
}

TEST_F(AppendTest, ChecksumsCrossBlocks) {
  cluster_.SetTokens("seal");
  const std::string content = RandomBytes(3000, 1);
  ASSERT_OK(Store("/f", content.substr(0, 700)));
  ASSERT_OK_AND_ASSIGN(auto appender, client_->AppendFile("/f"));
  ASSERT_OK(appender->Write(content.substr(700, 100)));
  ASSERT_OK(appender->Flush());
  ASSERT_OK(appender->Write(content.substr(800)));
  ASSERT_OK(appender->Close());
  HdfsChecksum expected;
  for (size_t at = 0; at < content.size(); at += 512) {
    const std::string chunk = content.substr(at, 512);
    expected.Add(Crc32c(chunk), static_cast<uint32_t>(chunk.size()));
  }

  ASSERT_OK_AND_ASSIGN(FileChecksum checksum, client_->Checksum("/f"));

  EXPECT_EQ(checksum, expected.Finish());
}

TEST_F(AppendTest, ManySmallFilesAreOneAllocation) {
  std::vector<std::string> contents;
  for (int i = 0; i < 100; ++i)
    contents.push_back(i == 7 ? "" : "content of " + std::to_string(i));
  std::vector<NewFile> files;
  for (size_t i = 0; i < contents.size(); ++i)
    files.push_back({.path = "/d/" + std::to_string(i), .content = contents[i]});

  ASSERT_OK(client_->PutFiles(files));

  EXPECT_EQ(cluster_.master().allocations().size(), 1U);
  for (const NewFile& file : files)
    EXPECT_EQ(Read(file.path).value(), file.content);
}

TEST_F(AppendTest, TooManySmallFilesAreRefused) {
  const std::vector<NewFile> files(DfsClient::kPutFilesMax + 1);

  EXPECT_EQ(client_->PutFiles(files).code(), Code::kInvalidArgument);
}

// A client without threads does the same on the caller's.
TEST_F(AppendTest, NeedsNoThreads) {
  auto client = cluster_.Connect({.threads_max = 0, .seed = 7});
  const std::string content = RandomBytes(6 << 20, 3);

  auto writer = client->CreateFile("/f");
  ASSERT_OK(writer->Write(content));
  ASSERT_OK(writer->Close());
  ASSERT_OK_AND_ASSIGN(auto appender, client->AppendFile("/f"));
  ASSERT_OK(appender->Write("end"));
  ASSERT_OK(appender->Close());

  EXPECT_TRUE(Read("/f").value() == content + "end");
}

}  // namespace
}  // namespace slipstream::dfs
