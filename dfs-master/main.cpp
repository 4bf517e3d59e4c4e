#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>

#include <CLI/CLI.hpp>

#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "dfs-master/cli/commands.h"
#include "dfs-master/daemon.h"

namespace {

using slipstream::dfs::master::Daemon;

constexpr const char* kExamples = R"(
Examples:
  dfs-master --data-dir /var/lib/slipstream/master
  dfs-master --listen 0.0.0.0:7400 --tls-dir /etc/slipstream/tls --data-dir /data/master
  dfs-master --data-dir ./master --min-replicas 1 --replication 1     # a single datanode
  dfs-master --data-dir ./master --trash-interval 1440                # a day of trash
  dfs-master backup --master localhost:7400 /backup/master-1           # a copy while it runs
  dfs-master restore --from /backup/master-1 --data-dir /data/master   # after a loss
  dfs-master restored --master localhost:7400                          # how far is it back?
Each of the last three has a --help of its own.
)";

// Seconds on the command line, milliseconds within.
void AddSeconds(CLI::App& app,
                const std::string& name,
                std::chrono::milliseconds& value,
                const std::string& description) {
  app.add_option_function<double>(
         name,
         [&value](const double& seconds) {
           value = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
         },
         description)
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 1e7))
      ->default_str(std::to_string(value.count() / 1000));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): a flag after the other
int main(int argc, char** argv) {
  namespace daemon = slipstream::daemon;
  if (auto exit_code = slipstream::dfs::master::RunCommand(argc, argv)) return *exit_code;
  Daemon::Options options;
  CLI::App app("The file system's master: names, blocks, repair, two-phase appends.", "dfs-master");
  app.footer(kExamples);
  daemon::AddDaemonFlags(app, options.flags);
  daemon::AddTlsFlag(app, options.tls_dir);
  app.add_option(
         "--listen", options.listen, "HOST:PORT of the gRPC services; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--data-dir", options.data_dir, "directory of the metadata; made if missing")
      ->required();
  app.add_option("--min-replicas",
                 options.master.min_replicas,
                 "datanodes that must have a block before it can be committed")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--replication", options.master.replication, "replicas a block is to have")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  AddSeconds(app,
             "--node-stale-after",
             options.master.nodes.stale_after,
             "silence after which a datanode gets no new blocks");
  AddSeconds(app,
             "--node-dead-after",
             options.master.nodes.dead_after,
             "silence after which a datanode's blocks are replicated elsewhere");
  AddSeconds(app,
             "--safe-mode-max",
             options.master.safe_mode_max,
             "safe mode ends at the latest so long after the first datanode came");
  AddSeconds(app,
             "--block-grace",
             options.master.ledger.grace,
             "how long blocks are kept that a vanished writer never prepared");
  app.add_option_function<double>(
         "--trash-interval",
         [&options](const double& minutes) {
           options.master.trash_interval =
               std::chrono::milliseconds(static_cast<int64_t>(minutes * 60'000));
         },
         "how long what users removed stays in their trash: for one interval to two, as with "
         "Hadoop's fs.trash.interval; 0: no trash, what is removed is gone")
      ->type_name("MINUTES")
      ->check(CLI::Range(0.0, 1e7))
      ->default_str("0");
  app.add_option("--cache",
                 options.cache_bytes,
                 "memory for what the store keeps of names and blocks, e.g. 256MB; beside it the "
                 "master takes some 30 MB, and 21 to 40 bytes for each block")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{16} << 20, uint64_t{1} << 40))
      ->default_str("256MB");
  app.add_option(
         "--tokens",
         options.token_file,
         "who is known by a token instead of a certificate: `slipstream certs --token NAME` "
         "adds to such a file, which is read again when it changes; with --tls-dir")
      ->type_name("FILE");
  app.add_flag("!--no-permissions",
               options.checks_permissions,
               "let everybody do everything, whatever the owners and modes of files say");
  app.add_option("--superuser",
                 options.superusers,
                 "one more who may do everything, beside the user that this master runs as; may be "
                 "repeated")
      ->type_name("NAME");
  app.add_option("--supergroup",
                 options.supergroup,
                 "group of this machine whose members may do everything")
      ->capture_default_str();
  options.master.disk_reserve_bytes = UINT64_C(100) << 20;
  app.add_option(
         "--disk-reserve",
         options.master.disk_reserve_bytes,
         "with less than this left on the disk of --data-dir nothing is changed until there "
         "is more; 0: go on until it is full, and end")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 50))
      ->default_str("100MB");
  options.master.seed = std::random_device()();
  app.add_option("--seed", options.master.seed, "of the placement of blocks; drawn if not given");
  if (auto exit_code = daemon::ParseFlags(app, argc, argv)) return *exit_code;

  slipstream::log::Init({.level = options.flags.log_level});
  slipstream::Status status = Daemon::Run(options);
  if (status.ok()) return daemon::kExitDone;
  std::cerr << "dfs-master: " << status.message() << '\n';
  return status.code() == slipstream::Code::kInvalidArgument ? daemon::kExitUsage
                                                             : daemon::kExitFailed;
}
