// What goes in comes out again, through the command line, byte for byte.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMiB = size_t{1} << 20;

class DfsCopyTest : public DfsTest {
 protected:
  void SetUp() override { StartCluster(); }

  fs::path WriteLocal(const std::string& name, const std::string& content) {
    const fs::path path = dir_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string ReadLocal(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Exit code and stderr of a call.
  std::pair<int, std::string> Run(std::vector<std::string> args) {
    auto result = cluster().Dfs(std::move(args));
    EXPECT_OK(result);
    return {result->exit.code, result->err};
  }

  void ExpectComesBack(const std::string& name, const std::string& content) {
    const fs::path local = WriteLocal(name, content);
    ASSERT_OK(cluster().MustDfs({"put", local, "/" + name}));
    const fs::path back = dir_ / (name + ".back");
    ASSERT_OK(cluster().MustDfs({"get", "/" + name, back}));
    EXPECT_TRUE(ReadLocal(back) == content) << name;
    ASSERT_OK_AND_ASSIGN(std::string printed, cluster().MustDfs({"cat", "/" + name}));
    EXPECT_TRUE(printed == content) << name;
    EXPECT_EQ(cluster().MustDfs({"stat", "%b", "/" + name}), std::to_string(content.size()) + "\n");
    fs::remove(local);
    fs::remove(back);
  }
};

TEST_F(DfsCopyTest, FilesOfEverySizeComeBack) {
  ExpectComesBack("empty", "");
  ExpectComesBack("one", "x");
  ExpectComesBack("pack", RandomBytes(kMiB - 1, 1));
  ExpectComesBack("frame", RandomBytes(kMiB, 2));
  ExpectComesBack("frame_and_one", RandomBytes(kMiB + 1, 3));
  ExpectComesBack("block", RandomBytes(64 * kMiB, 4));
  ExpectComesBack("block_and_one", RandomBytes(64 * kMiB + 1, 5));
  ExpectComesBack("blocks", RandomBytes(200 * kMiB, 6));
  ExpectComesBack("json", JsonLines(200 * kMiB));
  EXPECT_OK(CheckFullyReplicated());
}

TEST_F(DfsCopyTest, TreesComeBack) {
  fs::create_directories(dir_ / "tree/a/b");
  fs::create_directories(dir_ / "tree/empty");
  WriteLocal("tree/one", "1");
  WriteLocal("tree/a/two", "22");
  WriteLocal("tree/a/b/three", "333");

  ASSERT_OK(cluster().MustDfs({"mkdir", "/into"}));
  ASSERT_OK(cluster().MustDfs({"put", dir_ / "tree", "/into"}));
  ASSERT_OK(cluster().MustDfs({"get", "/into/tree", dir_ / "back"}));

  EXPECT_EQ(ReadLocal(dir_ / "back/one"), "1");
  EXPECT_EQ(ReadLocal(dir_ / "back/a/two"), "22");
  EXPECT_EQ(ReadLocal(dir_ / "back/a/b/three"), "333");
  EXPECT_TRUE(fs::is_directory(dir_ / "back/empty"));
  EXPECT_EQ(cluster().MustDfs({"count", "/into/tree"}),
            "           4            3                  6 /into/tree\n");
  EXPECT_EQ(cluster().MustDfs({"ls", "-C", "-R", "/into/tree"}),
            "/into/tree/a\n/into/tree/a/b\n/into/tree/a/b/three\n/into/tree/a/two\n"
            "/into/tree/empty\n/into/tree/one\n");
  EXPECT_EQ(cluster().MustDfs({"cat", "/into/tree/{one,a/t*}"}), "122");
}

TEST_F(DfsCopyTest, StandardInputIsAFile) {
  const std::string content = JsonLines(3 * kMiB);

  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/piped"}, content));

  EXPECT_TRUE(cluster().MustDfs({"cat", "/piped"}) == content);
}

TEST_F(DfsCopyTest, SpeaksAsTheHdfsShellDoes) {
  const fs::path local = WriteLocal("file0", "15 bytes of it.");
  ASSERT_OK(cluster().MustDfs({"mkdir", "-p", "/user/root", "/dir0"}));
  ASSERT_OK(cluster().MustDfs({"put", local, "/file0"}));
  using Outcome = std::pair<int, std::string>;

  EXPECT_EQ(Run({"-ls", "/nope"}), Outcome(1, "ls: `/nope': No such file or directory\n"));
  EXPECT_EQ(Run({"-ls", "/nope/*"}), Outcome(1, "ls: `/nope/*': No such file or directory\n"));
  EXPECT_EQ(Run({"-cat", "/dir0"}), Outcome(1, "cat: `/dir0': Is a directory\n"));
  EXPECT_EQ(Run({"-mkdir", "/dir0"}), Outcome(1, "mkdir: `/dir0': File exists\n"));
  EXPECT_EQ(Run({"-mkdir", "/file0"}), Outcome(1, "mkdir: `/file0': Is not a directory\n"));
  EXPECT_EQ(Run({"-rm", "/dir0"}), Outcome(1, "rm: `/dir0': Is a directory\n"));
  EXPECT_EQ(Run({"-rm", "-f", "/nope"}), Outcome(0, ""));
  EXPECT_EQ(Run({"-put", local, "/file0"}), Outcome(1, "put: `/file0': File exists\n"));
  EXPECT_EQ(Run({"-put", local, local, "/file0"}),
            Outcome(1, "put: `/file0': Is not a directory\n"));
  EXPECT_EQ(Run({"-touchz", "/file0"}), Outcome(1, "touchz: `/file0': Not a zero-length file\n"));
  EXPECT_EQ(Run({"-mv", "/file0", "/file0"}), Outcome(1, "mv: `/file0': File exists\n"));
  EXPECT_EQ(Run({"-test", "-e", "/file0"}), Outcome(0, ""));
  EXPECT_EQ(Run({"-test", "-d", "/file0"}), Outcome(1, ""));
  EXPECT_EQ(Run({"-nope"}).first, 255);
  EXPECT_EQ(Run({"-ls", "-nope"}).first, 255);
  EXPECT_EQ(Run({"--nope"}).first, 255);
  // One bad operand does not keep the others from being done.
  ASSERT_OK_AND_ASSIGN(auto both, cluster().Dfs({"cat", "/nope", "/file0"}));
  EXPECT_EQ(both.exit.code, 1);
  EXPECT_EQ(both.out, "15 bytes of it.");
  EXPECT_EQ(cluster().MustDfs({"rm", "/file0"}), "Deleted /file0\n");
}

TEST_F(DfsCopyTest, ReplacesOnlyWhenTold) {
  ASSERT_OK(Store("/f", "old"));
  const fs::path local = WriteLocal("new", "new content");

  EXPECT_FALSE(cluster().MustDfs({"put", local, "/f"}).ok());
  EXPECT_EQ(cluster().MustDfs({"cat", "/f"}), "old");
  ASSERT_OK(cluster().MustDfs({"put", "-f", local, "/f"}));
  EXPECT_EQ(cluster().MustDfs({"cat", "/f"}), "new content");

  EXPECT_FALSE(cluster().MustDfs({"get", "/f", local}).ok());
  EXPECT_OK(cluster().MustDfs({"get", "-f", "/f", local}));
}

TEST_F(DfsCopyTest, LargeDirectoriesAreListedWhole) {
  constexpr int kFiles = 2500;
  AppenderEpoch epoch{.owner = "test/many", .epoch = 1};
  ASSERT_OK_AND_ASSIGN(AppenderState state, client().AcquireAppender(epoch.owner));
  epoch.incarnation = state.incarnation;
  for (int i = 0; i < kFiles; ++i) {
    epoch.files.push_back({.target = "/many/" + std::to_string(i), .close = true});
  }
  ASSERT_OK(client().Prepare({&epoch, 1}, true));

  ASSERT_OK_AND_ASSIGN(auto entries, client().ListAll("/many"));

  EXPECT_THAT(entries, ::testing::SizeIs(kFiles));
}

}  // namespace
}  // namespace slipstream::dfs
