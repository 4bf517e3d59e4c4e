#include "dfs-client/cli/format.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "dfs-client/cli/report_format.h"

namespace slipstream::dfs::cli {
namespace {

constexpr int64_t kTime = 1'619'344'861'000;  // 2021-04-25 10:01:01 UTC

class FormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  static Item Directory(const std::string& path) {
    return {.shown = path,
            .path = path,
            .status = {.name = path.substr(1),
                       .kind = FileKind::kDirectory,
                       .modified_at_ms = kTime,
                       .owner = "hdfs",
                       .group = "supergroup",
                       .mode = 0755}};
  }
  static Item File(const std::string& path, uint64_t length) {
    return {.shown = path,
            .path = path,
            .status = {.name = path.substr(1),
                       .kind = FileKind::kFile,
                       .length_bytes = length,
                       .replication = 2,
                       .modified_at_ms = kTime + 60'000,
                       .owner = "hdfs",
                       .group = "supergroup",
                       .mode = 0644}};
  }
};

std::string FormatListing(const std::vector<Item>& items, const ListFormat& format) {
  ListingFormatter formatter(format);
  formatter.MakeRoom(items);
  std::string out;
  for (const Item& item : items)
    out += formatter.Line(item);
  return out;
}

TEST_F(FormatTest, ListingHasTheColumnsOfHdfs) {
  EXPECT_EQ(FormatListing({Directory("/dir1"), File("/file1", 15)}, {}),
            "drwxr-xr-x   - hdfs supergroup          0 2021-04-25 10:01 /dir1\n"
            "-rw-r--r--   2 hdfs supergroup         15 2021-04-25 10:02 /file1\n");
}

TEST_F(FormatTest, ListingGrowsItsColumns) {
  Item other = File("/b", 123'456'789'012);
  other.status.owner = "someone";

  EXPECT_EQ(FormatListing({File("/a", 1), other}, {}),
            "-rw-r--r--   2 hdfs    supergroup            1 2021-04-25 10:02 /a\n"
            "-rw-r--r--   2 someone supergroup 123456789012 2021-04-25 10:02 /b\n");
}

TEST_F(FormatTest, ListingFollowsItsFlags) {
  EXPECT_EQ(FormatListing({File("/a", 1)}, {.paths_only = true}), "/a\n");
  EXPECT_EQ(FormatListing({File("/a", 1536)}, {.human_sizes = true}),
            "-rw-r--r--   2 hdfs supergroup      1.5 K 2021-04-25 10:02 /a\n");
  EXPECT_EQ(FormatListing({File("/a\tb", 1)}, {.paths_only = true, .mask_unprintable = true}),
            "/a?b\n");
}

TEST_F(FormatTest, SizesAreThoseOfHdfs) {
  EXPECT_EQ(HumanSize(0), "0");
  EXPECT_EQ(HumanSize(0, 2, "B"), "0 B");
  EXPECT_EQ(HumanSize(1023), "1023");
  EXPECT_EQ(HumanSize(1024), "1 K");
  EXPECT_EQ(HumanSize(1536), "1.5 K");
  EXPECT_EQ(HumanSize(28'672, 2, "B"), "28 KB");
  EXPECT_EQ(HumanSize(107'374'182'400, 2, "B"), "100 GB");
  EXPECT_EQ(HumanSize(96'636'735'488, 2, "B"), "90.00 GB");
  EXPECT_EQ(HumanSize(1024 * 1024 - 1), "1.0 M");
  EXPECT_EQ(HumanSize(UINT64_MAX), "16.0 E");
}

TEST_F(FormatTest, StatKnowsItsSequences) {
  const Item file = File("/data60bytes", 60);

  EXPECT_EQ(FormatStat("%n-%b", file), "data60bytes-60");
  EXPECT_EQ(FormatStat("%y %Y", file), "2021-04-25 10:02:01 1619344921000");
  EXPECT_EQ(FormatStat("%a %A %u:%g %r %o %F", file),
            "644 rw-r--r-- hdfs:supergroup 2 134217728 regular file");
  EXPECT_EQ(FormatStat("%n-%b-%o", Directory("/dirtest")), "dirtest-0-0");
  EXPECT_EQ(FormatStat("100%% %z %", file), "100% z ");
}

TEST_F(FormatTest, ColumnsAreLeftAligned) {
  EXPECT_EQ(FormatColumns({{"15", "30", "/d/f"}}), "15  30  /d/f\n");
  EXPECT_EQ(FormatColumns({{"1", "2", "/a"}, {"100", "20", "/b"}}), "1    2   /a\n100  20  /b\n");
  EXPECT_EQ(FormatColumns({}), "");
}

TEST_F(FormatTest, ReportReadsLikeThatOfHdfs) {
  ClusterState state{.file_count = 1, .directory_count = 1, .block_count = 3};
  state.nodes.push_back({.node = {.node_id = "dn1", .address = "10.0.0.1:9866"},
                         .state = NodeState::kLive,
                         .capacity_bytes = 53'687'091'200,
                         .used_bytes = 14'336,
                         .free_bytes = 48'318'367'744,
                         .replica_count = 3,
                         .active_writes = 1,
                         .last_heartbeat_ms = kTime});
  state.nodes.push_back(
      {.node = {.node_id = "dn2", .address = "10.0.0.2:9866"}, .state = NodeState::kDead});

  EXPECT_EQ(FormatReport(state, {.live = true, .dead = false}),
            "Configured Capacity: 53687091200 (50 GB)\n"
            "Present Capacity: 48318382080 (45 GB)\n"
            "DFS Remaining: 48318367744 (45.00 GB)\n"
            "DFS Used: 14336 (14 KB)\n"
            "DFS Used%: 0.00%\n"
            "Replicated Blocks:\n"
            "\tUnder replicated blocks: 0\n"
            "\tBlocks with corrupt replicas: 0\n"
            "\tMissing blocks: 0\n"
            "\tPending deletion blocks: 0\n"
            "\tPending repairs: 0\n"
            "Files:\n"
            "\tFiles: 1\n"
            "\tDirectories: 1\n"
            "\tBlocks: 3\n"
            "\tBytes: 0 (0 B)\n"
            "\tBytes compressed: 0 (0 B)\n"
            "\n"
            "-------------------------------------------------\n"
            "Live datanodes (1):\n"
            "\n"
            "Name: 10.0.0.1:9866 (dn1)\n"
            "Hostname: 10.0.0.1\n"
            "Decommission Status : Normal\n"
            "Configured Capacity: 53687091200 (50 GB)\n"
            "DFS Used: 14336 (14 KB)\n"
            "Non DFS Used: 5368709120 (5 GB)\n"
            "DFS Remaining: 48318367744 (45.00 GB)\n"
            "DFS Used%: 0.00%\n"
            "DFS Remaining%: 90.00%\n"
            "Xceivers: 1\n"
            "Last contact: Sun Apr 25 10:01:01 UTC 2021\n"
            "Last Block Report: Never\n"
            "Num of Blocks: 3\n"
            "\n"
            "\n");
  EXPECT_NE(FormatReport(state, {}).find("Dead datanodes (1):"), std::string::npos);
}

}  // namespace
}  // namespace slipstream::dfs::cli
