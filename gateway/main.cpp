#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "common/access/process_user.h"
#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "gateway/daemon.h"

namespace {

constexpr char kExamples[] =
    "Examples, with the dashboard at http://127.0.0.1:9870/:\n"
    "  gateway --master 127.0.0.1:7400 --brokers 127.0.0.1:9092 --listen 127.0.0.1:9870\n"
    "  curl 'http://127.0.0.1:9870/webhdfs/v1/?op=LISTSTATUS'\n"
    "  curl -L -T flights.csv 'http://127.0.0.1:9870/webhdfs/v1/data/flights.csv?op=CREATE'\n"
    "  curl 'http://127.0.0.1:9870/api/v1/cluster'\n"
    "  hadoop fs -ls webhdfs://127.0.0.1:9870/\n"
    "  gateway --master lab2:7400 --listen 0.0.0.0:9870 --tls-dir /etc/slipstream/tls \\\n"
    "          --https --tokens /etc/slipstream/tokens\n";

void AddFlags(CLI::App& app, slipstream::gateway::DaemonOptions& options) {
  app.add_option("--master", options.master, "The dfs-master, HOST:PORT")->capture_default_str();
  app.add_option("--brokers", options.brokers, "Kafka's addresses, HOST:PORT,…, to see the jobs");
  slipstream::daemon::AddKafkaPropertyFlag(app, options.kafka_properties);
  app.add_option("--listen", options.listen, "Where to serve, HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--dashboards",
                 options.dashboards,
                 "The folder of the charts' files, read again when one changes")
      ->capture_default_str();
  app.add_option("--allow-host",
                 options.allowed_hosts,
                 "A name by which browsers and clients may ask for it, beside its addresses, "
                 "localhost and this machine's name; may be repeated");
  options.static_user = slipstream::access::ActingUser();
  app.add_option("--static-user",
                 options.static_user,
                 "In whose name those act at the file system who do not say who they are (default: "
                 "the user that this gateway runs as)")
      ->type_name("NAME");
  app.add_flag("--https",
               options.is_https,
               "Serve HTTPS, with the certificate of --tls-dir, in place of plain HTTP");
  app.add_option("--tokens",
                 options.token_file,
                 "Who may do what: `slipstream certs --token NAME` adds to such a file, which is "
                 "read again when it changes")
      ->type_name("FILE");
  app.add_option("--connections-max", options.connections_max, "More are closed at once")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--memory",
                 options.memory_bytes,
                 "For all uploads and downloads together, e.g. 512MiB; who finds it taken waits "
                 "(default: 1GiB)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option_function<int64_t>(
         "--timeout-seconds",
         [&options](int64_t seconds) { options.timeout = std::chrono::seconds(seconds); },
         "How long a request tries the master and the datanodes (default: 60)")
      ->check(CLI::Range(1, 3'600));
  app.add_option_function<int64_t>(
         "--drain-seconds",
         [&options](int64_t seconds) { options.drain_time = std::chrono::seconds(seconds); },
         "How long requests in hand may take after SIGTERM (default: 10)")
      ->check(CLI::Range(0, 3'600));
}

}  // namespace

int main(int argc, char** argv) {
  namespace gateway = slipstream::gateway;
  namespace daemon = slipstream::daemon;

  CLI::App app(
      "Serves the dashboard, the Slipstream file system over HTTP, as WebHDFS, and the state of "
      "cluster and jobs as JSON.");
  app.footer(kExamples);
  gateway::DaemonOptions options;
  daemon::DaemonFlags flags;
  AddFlags(app, options);
  daemon::AddDaemonFlags(app, flags);
  daemon::AddTlsFlag(app, options.tls_dir);
  if (std::optional<int> exit_code = daemon::ParseFlags(app, argc, argv)) return *exit_code;
  slipstream::log::Init({.level = flags.log_level});
  options.admin_listen = flags.admin_listen;
  options.endpoint_file = flags.endpoint_file;
  options.insecure = flags.insecure;

  slipstream::Result<std::unique_ptr<gateway::Daemon>> started = gateway::Daemon::Start(options);
  if (!started.ok()) {
    std::fprintf(stderr, "gateway: %s\n", started.status().message().c_str());
    return started.status().code() == slipstream::Code::kInvalidArgument ? daemon::kExitUsage
                                                                         : daemon::kExitFailed;
  }
  (*started)->Run();
  return daemon::kExitDone;
}
