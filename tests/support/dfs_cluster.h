#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "tests/support/process.h"

namespace slipstream::test_support {

class TestNetwork;

struct DfsClusterOptions {
  // Data and logs of all processes: master/, datanode-0/, …; usually a TempDir.
  std::filesystem::path dir;
  int datanodes = 3;
  // Given to every start of the process, after the flags that are always given.
  std::vector<std::string> master_flags = {};
  std::vector<std::string> datanode_flags = {};
  // Data directories of each datanode: datanode_data_dir(), and datanode_disk() for the others.
  int disks = 1;
  // For --tls-dir, of all processes and of `dfs`; empty: no TLS.
  std::string tls_dir = {};
  // Where they run: the master on host 0, the datanodes on those behind it. Null: on loopback.
  // Borrowed.
  const TestNetwork* network = nullptr;
};

// DfsCluster: a dfs-master and datanodes as real processes, on loopback or a TestNetwork, each
// killed and started again as a test likes. All keep their port and data directory over restarts.
// Threads      not thread-safe.
class DfsCluster final {
 public:
  // Starts everything and waits until each process says that it is ready. A datanode counts as
  // ready before the master knows it: WaitUntilWritable() waits for that.
  static Result<std::unique_ptr<DfsCluster>> Start(DfsClusterOptions options);

  // HOST:PORT for --master.
  const std::string& master_address() const { return master_address_; }
  std::string datanode_address(int index) const;

  // Null while it is not started. A process that was killed is still there, and not running.
  Process* master() { return master_.get(); }
  Process* datanode(int index) { return datanodes_.at(static_cast<size_t>(index)).get(); }
  int datanode_count() const { return static_cast<int>(datanodes_.size()); }
  std::filesystem::path master_data_dir() const;
  std::filesystem::path datanode_data_dir(int index) const;
  // Its data directory `disk`, from 1 on.
  static std::filesystem::path DatanodeDisk(const std::filesystem::path& dir, int index, int disk);

  // Starts the process again over its data and waits until it is ready; it must not be running.
  // `failpoints` is its SLIPSTREAM_FAILPOINTS, for this start only.
  Status StartMaster(std::string_view failpoints = "");
  Status StartDatanode(int index, std::string_view failpoints = "");
  // One datanode more, with a new, empty directory; its index is datanode_count() - 1.
  Status AddDatanode();
  // kill -9.
  void KillMaster() { master_->Kill(); }
  void KillDatanode(int index) { datanode(index)->Kill(); }

  // Runs `dfs` with these arguments against this master, to its end.
  Result<ToolResult> Dfs(std::vector<std::string> args) const;
  // The same, with `input` as its standard input.
  Result<ToolResult> DfsWithInput(std::vector<std::string> args, std::string_view input) const;
  // The standard output of a `dfs` call that must succeed: an exit code other than 0 is kUnknown
  // with what it wrote to stderr.
  Result<std::string> MustDfs(std::vector<std::string> args) const;

  // Waits until a small file can be written, that is until enough datanodes are known; removes it.
  Status WaitUntilWritable(std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;

 private:
  explicit DfsCluster(DfsClusterOptions options);

  // What every call of `dfs` begins with.
  void AddCommonFlags(std::vector<std::string>& args) const;
  // HOST:PORT for the process that runs on a host of the network.
  std::string NewAddress(int host) const;
  Result<std::unique_ptr<Process>> StartDaemon(int host,
                                               ProcessOptions options,
                                               const std::vector<std::string>& more_flags) const;

  const DfsClusterOptions options_;
  const std::string master_address_;
  std::vector<std::string> datanode_addresses_;
  std::unique_ptr<Process> master_;
  std::vector<std::unique_ptr<Process>> datanodes_;
};

}  // namespace slipstream::test_support
