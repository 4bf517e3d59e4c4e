#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

// Forward: CLI11's header is slow to compile, so only the file that declares a process's own flags
// includes it.
namespace CLI {
class App;
}

// What the command lines of all our processes share.

namespace slipstream::daemon {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitInterrupted = 130,  // of a tool; a daemon that drained after SIGTERM or SIGINT is done
};

struct DaemonFlags {
  std::string log_level = "info";
  std::string admin_listen = "127.0.0.1:0";
  std::string endpoint_file;  // empty: none is written
  bool insecure = false;
};

// Adds --log-level and --log-format alone, for tools that serve nothing. The format is set while
// the command line is parsed.
void AddLogFlags(CLI::App& app, DaemonFlags& flags);
// Adds --tls-dir, spelt alike for all that call or serve the file system. What is there is checked
// while the command line is parsed: a certificate that has expired is a usage error.
void AddTlsFlag(CLI::App& app, std::string& tls_dir);
// Adds --kafka-property NAME=VALUE, spelt alike for all that talk to Kafka: librdkafka's settings,
// by which it is reached over TLS or with a password. In the environment several are a list,
// [NAME=VALUE,NAME=VALUE]. What is no such pair is a usage error, which does not repeat the text:
// it may hold a password.
void AddKafkaPropertyFlag(CLI::App& app,
                          std::vector<std::pair<std::string, std::string>>& properties);
// Adds all of DaemonFlags. `flags` must outlive the parsing.
void AddDaemonFlags(CLI::App& app, DaemonFlags& flags);

// Parses the command line, last of the set-up: adds --version and --config, and gives every option
// that has a long name (of subcommands too) an environment variable: --data-dir is
// SLIPSTREAM_DATA_DIR. The command line goes before the config file (TOML; a subcommand's options
// in a table of its name), and that before the environment.
// Returns the exit code when the process is to end now: 0 after --help or --version (printed to
// stdout), 2 after a usage error (one line to stderr).
std::optional<int> ParseFlags(CLI::App& app, int argc, const char* const* argv);

// The version the build was made of, as --version prints it.
const char* Version();

}  // namespace slipstream::daemon
