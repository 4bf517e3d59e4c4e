#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/block/encoded_block.h"
#include "common/status/status.h"
#include "dfs-client/dfs_client.h"
#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace slipstream::dfs {

// DfsTest: a real master and real datanodes, and a client in this process. The master gives nodes
// up after seconds instead of half a minute, so that tests see what follows.
class DfsTest : public ::testing::Test {
 protected:
  struct Options {
    int datanodes = 3;
    std::vector<std::string> master_flags = {"--node-stale-after=2", "--node-dead-after=4"};
    std::vector<std::string> datanode_flags = {};
    int disks = 1;                                       // of each datanode
    const test_support::TestNetwork* network = nullptr;  // null: loopback
  };
  void StartCluster(const Options& options);
  void StartCluster() { StartCluster(Options()); }

  test_support::DfsCluster& cluster() { return *cluster_; }
  DfsClient& client() { return *client_; }
  std::unique_ptr<DfsClient> Connect() const;

  Status Store(const std::string& path, const std::string& content);
  static Status Store(DfsClient& client, const std::string& path, const std::string& content);
  Result<std::string> Load(const std::string& path);
  static Result<std::string> LoadRest(FileReader& reader);
  // OK once every block has all its good replicas on live nodes.
  Status CheckFullyReplicated();
  // A byte that was changed on a disk.
  struct Damage {
    std::filesystem::path file;
    uint64_t offset = 0;
    char original = 0;
  };
  // The datanode that readers of the file's first block turn to first.
  Result<int> FirstReplicaOf(const std::string& path);
  // Flips one byte in the middle of the largest block file of a datanode.
  Result<Damage> FlipByteOnDisk(int datanode);
  // Whether the file is there with the byte as it was.
  static bool IsHealed(const Damage& damage);

  test_support::TempDir dir_{"dfs"};

 private:
  std::unique_ptr<test_support::DfsCluster> cluster_;
  std::unique_ptr<DfsClient> client_;
};

// Bytes that do not compress, the same for the same seed.
std::string RandomBytes(size_t count, uint64_t seed);
// Lines of JSON that compress well.
std::string JsonLines(size_t bytes_min);
block::EncodedBlock Encode(std::string_view raw);

}  // namespace slipstream::dfs
