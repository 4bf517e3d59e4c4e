#include "tests/support/dfs_cluster.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"
#include "tests/support/test_network.h"

namespace slipstream::test_support {
namespace {

std::map<std::string, std::string> FailpointEnvironment(std::string_view failpoints) {
  if (failpoints.empty()) return {};
  return {{"SLIPSTREAM_FAILPOINTS", std::string(failpoints)}};
}

}  // namespace

DfsCluster::DfsCluster(DfsClusterOptions options)
    : options_(std::move(options)), master_address_(NewAddress(0)) {}

std::string DfsCluster::NewAddress(int host) const {
  const std::string ip =
      options_.network == nullptr ? "127.0.0.1" : options_.network->address(host);
  return fmt::format("{}:{}", ip, FreePort());
}

Result<std::unique_ptr<Process>> DfsCluster::StartDaemon(
    int host, ProcessOptions options, const std::vector<std::string>& more_flags) const {
  options.is_daemon = true;
  options.args.insert(options.args.end(), more_flags.begin(), more_flags.end());
  if (!options_.tls_dir.empty()) options.args.push_back("--tls-dir=" + options_.tls_dir);
  if (options_.network != nullptr) {
    options.args.emplace_back("--insecure");
    options.launcher = options_.network->CommandPrefix(host);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Process> process, Process::Start(std::move(options)));
  RETURN_IF_ERROR(process->WaitForEndpoint().status());
  return process;
}

Result<std::unique_ptr<DfsCluster>> DfsCluster::Start(DfsClusterOptions options) {
  const int datanodes = options.datanodes;
  std::unique_ptr<DfsCluster> cluster(new DfsCluster(std::move(options)));
  RETURN_IF_ERROR(cluster->StartMaster());
  for (int i = 0; i < datanodes; ++i)
    RETURN_IF_ERROR(cluster->AddDatanode());
  return cluster;
}

std::string DfsCluster::datanode_address(int index) const {
  return datanode_addresses_.at(static_cast<size_t>(index));
}

std::filesystem::path DfsCluster::master_data_dir() const {
  return options_.dir / "master";
}

std::filesystem::path DfsCluster::datanode_data_dir(int index) const {
  return options_.dir / fmt::format("datanode-{}", index);
}

std::filesystem::path DfsCluster::DatanodeDisk(const std::filesystem::path& dir,
                                               int index,
                                               int disk) {
  return dir / fmt::format("datanode-{}-disk-{}", index, disk);
}

Status DfsCluster::StartMaster(std::string_view failpoints) {
  master_.reset();
  ASSIGN_OR_RETURN(master_,
                   StartDaemon(0,
                               {.program = "dfs-master",
                                .args = {"--listen=" + master_address_,
                                         "--data-dir=" + master_data_dir().string(),
                                         // In whose names tests speak to it beside their own.
                                         "--superuser=hdfs",
                                         "--superuser=ann"},
                                .environment = FailpointEnvironment(failpoints),
                                .dir = options_.dir / "logs"},
                               options_.master_flags));
  return {};
}

Status DfsCluster::StartDatanode(int index, std::string_view failpoints) {
  std::unique_ptr<Process>& process = datanodes_.at(static_cast<size_t>(index));
  process.reset();
  std::vector<std::string> args = {"--master=" + master_address_,
                                   "--listen=" + datanode_address(index),
                                   "--data-dir=" + datanode_data_dir(index).string()};
  for (int disk = 1; disk < options_.disks; ++disk)
    args.push_back("--data-dir=" + DatanodeDisk(options_.dir, index, disk).string());
  ASSIGN_OR_RETURN(process,
                   StartDaemon(index + 1,
                               {.program = "dfs-datanode",
                                .args = std::move(args),
                                .environment = FailpointEnvironment(failpoints),
                                .dir = options_.dir / "logs",
                                .name = fmt::format("dfs-datanode-{}", index)},
                               options_.datanode_flags));
  return {};
}

Status DfsCluster::AddDatanode() {
  datanodes_.emplace_back();
  datanode_addresses_.push_back(NewAddress(datanode_count()));
  return StartDatanode(datanode_count() - 1);
}

void DfsCluster::AddCommonFlags(std::vector<std::string>& args) const {
  args.insert(args.begin(), "--master=" + master_address_);
  if (!options_.tls_dir.empty()) args.insert(args.begin(), "--tls-dir=" + options_.tls_dir);
}

Result<ToolResult> DfsCluster::Dfs(std::vector<std::string> args) const {
  AddCommonFlags(args);
  return RunTool({.program = "dfs", .args = std::move(args)});
}

Result<ToolResult> DfsCluster::DfsWithInput(std::vector<std::string> args,
                                            std::string_view input) const {
  const TempDir scratch("dfs");
  const std::filesystem::path stdin_file = scratch / "stdin";
  RETURN_IF_ERROR(WriteFile(stdin_file, input));
  AddCommonFlags(args);
  return RunTool(
      {.program = "dfs", .args = std::move(args), .dir = scratch.path(), .stdin_file = stdin_file});
}

Result<std::string> DfsCluster::MustDfs(std::vector<std::string> args) const {
  const std::string command = fmt::format("dfs {}", fmt::join(args, " "));
  ASSIGN_OR_RETURN(ToolResult result, Dfs(std::move(args)));
  if (result.exit.code != 0) {
    return Status(Code::kUnknown,
                  fmt::format("{}: exit code {}: {}", command, result.exit.code, result.err));
  }
  return std::move(result.out);
}

Status DfsCluster::WaitUntilWritable(std::chrono::milliseconds deadline) const {
  constexpr std::string_view kPath = "/.harness-write-check";
  Status last;
  const auto write = [&]() -> Status {
    Result<ToolResult> put = DfsWithInput({"put", "-f", "-", std::string(kPath)}, "x");
    last = put.status();
    if (put.ok() && put->exit.code != 0) last = Unavailable(put->err);
    return last;
  };
  if (!Eventually(write, deadline)) return last.WithContext("wait until files can be written");
  return MustDfs({"rm", "-skipTrash", std::string(kPath)}).status();
}

}  // namespace slipstream::test_support
