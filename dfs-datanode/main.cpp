#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "dfs-datanode/daemon.h"

namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  dfs-datanode --data-dir /var/lib/slipstream/datanode\n"
    "  dfs-datanode --master 10.0.0.1:7400 --listen 0.0.0.0:7410 --advertise "
    "10.0.0.2:7410 \\\n"
    "               --tls-dir /etc/slipstream/tls --data-dir /disk1/slipstream\n";

// Labels go into reports and lists.
std::string IsLabel(const std::string& text) {
  constexpr size_t kLabelBytesMax = 255;
  const bool is_plain = std::all_of(
      text.begin(), text.end(), [](char letter) { return letter > ' ' && letter < 0x7f; });
  return is_plain && text.size() <= kLabelBytesMax ? "" : "not a label: " + text;
}

void AddFlags(CLI::App& app, slipstream::datanode::DaemonOptions& options) {
  app.add_option("--master", options.master, "The dfs-master, HOST:PORT")->capture_default_str();
  app.add_option("--listen", options.listen, "Where to serve, HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--advertise",
                 options.advertise,
                 "How others reach this node, HOST:PORT (default: as it listens)");
  app.add_option("--data-dir",
                 options.data_dirs,
                 "A directory to keep replicas in; once for each disk of this node")
      ->required();
  app.add_option("--disks-min", options.disks_min, "With fewer disks that work the node ends")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--failure-domain",
                 options.failure_domain,
                 "What fails together with this node, a rack say (default: the host)");
  app.add_option("--rack", options.rack, "The rack it stands in, e.g. /rack1")
      ->check(CLI::Validator(IsLabel, "LABEL"));
  app.add_option(
         "--host", options.host, "The machine it runs on (default: the host of its address)")
      ->check(CLI::Validator(IsLabel, "LABEL"));
  app.add_option("--reserve",
                 options.reserve_bytes,
                 "Disk space to leave free, e.g. 2GiB (default: 1GiB or 5 % of "
                 "the disk)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option_function<int64_t>(
         "--park-seconds",
         [&options](int64_t seconds) { options.park_time = std::chrono::seconds(seconds); },
         "How long a replica stays after its deletion was ordered (default: "
         "600)")
      ->check(CLI::Range(0, 30 * 86'400));
  app.add_option("--scrub-rate",
                 options.scrub_bytes_per_second,
                 "Bytes a second to read for verification, e.g. 8MiB")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option_function<int64_t>(
         "--scrub-interval-seconds",
         [&options](int64_t seconds) { options.scrub_interval = std::chrono::seconds(seconds); },
         "From the beginning of one verification of all replicas to the next "
         "(default: 86400)")
      ->check(CLI::Range(60, 365 * 86'400));
  app.add_option("--rpc-threads", options.rpc_threads, "Streams served at the same time")
      ->check(CLI::Range(4, 4'096))
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  namespace datanode = slipstream::datanode;
  namespace daemon = slipstream::daemon;

  CLI::App app("Keeps block replicas of the Slipstream file system on a local disk.");
  app.footer(kExamples);
  datanode::DaemonOptions options;
  daemon::DaemonFlags flags;
  AddFlags(app, options);
  daemon::AddDaemonFlags(app, flags);
  daemon::AddTlsFlag(app, options.tls_dir);
  if (std::optional<int> exit_code = daemon::ParseFlags(app, argc, argv)) return *exit_code;
  slipstream::log::Init({.level = flags.log_level});
  options.admin_listen = flags.admin_listen;
  options.endpoint_file = flags.endpoint_file;
  options.insecure = flags.insecure;

  slipstream::Result<std::unique_ptr<datanode::Daemon>> started = datanode::Daemon::Start(options);
  if (!started.ok()) {
    std::fprintf(stderr, "dfs-datanode: %s\n", started.status().message().c_str());
    return started.status().code() == slipstream::Code::kInvalidArgument ? daemon::kExitUsage
                                                                         : daemon::kExitFailed;
  }
  if (slipstream::Status status = (*started)->Run(); !status.ok()) {
    std::fprintf(stderr, "dfs-datanode: %s\n", status.message().c_str());
    return daemon::kExitFailed;
  }
  return daemon::kExitDone;
}
