#include "dfs-master/cli/commands.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "common/clock/clock.h"
#include "common/daemon/flags.h"
#include "common/fs/posix_file_system.h"
#include "common/log/log.h"
#include "dfs-master/backup.h"
#include "dfs-master/restore_client.h"

namespace slipstream::dfs::master {
namespace {

constexpr const char* kBackupExamples = R"(
Examples:
  dfs-master backup --master localhost:7400 /backup/master-$(date +%F)   # on the master's machine
)";
constexpr const char* kRestoreExamples = R"(
Examples:
  dfs-master restore --from /backup/master-2026-11-21 --data-dir /var/lib/slipstream/master
  dfs-master --data-dir /var/lib/slipstream/master     # then: starts it, and waits for datanodes
)";
constexpr const char* kRestoredExamples = R"(
Examples:
  dfs-master restored --master localhost:7400                            # how far is it?
  dfs-master restored --master localhost:7400 --without-missing-nodes    # they do not come back
  dfs-master restored --master localhost:7400 --forget-unknown           # no newer copy will turn up
)";

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             SystemClock::Get().WallNow().time_since_epoch())
      .count();
}

// Parses, and runs `command`; the exit code.
template <class Fn>
int Run(CLI::App& app, int argc, const char* const* argv, Fn command) {
  // The command's own arguments: all behind its name.
  if (const auto exit_code = daemon::ParseFlags(app, argc - 1, argv + 1)) return *exit_code;
  log::Init({.level = "error"});
  const Status status = command();
  if (status.ok()) return daemon::kExitDone;
  std::cerr << app.get_name() << ": " << status.message() << '\n';
  return status.code() == Code::kInvalidArgument ? daemon::kExitUsage : daemon::kExitFailed;
}

void AddMasterFlags(CLI::App& app, MasterAddress& master) {
  app.add_option("--master", master.address, "HOST:PORT of the master")->capture_default_str();
  daemon::AddTlsFlag(app, master.tls_dir);
}

int RunBackup(int argc, const char* const* argv) {
  CLI::App app("A consistent copy of a running master's store, made by it on its own machine.",
               "dfs-master backup");
  app.footer(kBackupExamples);
  MasterAddress master;
  std::string directory;
  AddMasterFlags(app, master);
  app.add_option("DIR", directory, "absolute, on the master's machine; new or empty")->required();
  return Run(app, argc, argv, [&]() -> Status {
    ASSIGN_OR_RETURN(const BackupInfo info, AskForBackup(master, directory));
    std::cout << "backup in " << directory << ": " << info.bytes
              << " bytes, the log up to position " << info.log_position << '\n';
    return {};
  });
}

int RunRestore(int argc, const char* const* argv) {
  CLI::App app("Makes a master's data directory of a backup, which stays as it is.",
               "dfs-master restore");
  app.footer(kRestoreExamples);
  std::string from;
  std::string data_dir;
  app.add_option("--from", from, "directory of the backup")->required();
  app.add_option("--data-dir", data_dir, "of the master to be; new or empty")->required();
  return Run(app, argc, argv, [&]() -> Status {
    ASSIGN_OR_RETURN(const BackupInfo info,
                     RestoreBackup(from, data_dir, PosixFileSystem::Get(), NowMs()));
    std::cout
        << "restored to position " << info.log_position << " of the log in " << data_dir
        << "\nA master started there gives out no blocks and orders nothing deleted until "
           "every datanode it knows is back, and keeps what it does not know: see `dfs-master "
           "restored --help`\n";
    return {};
  });
}

const char* Describe(RestorePhase phase) {
  switch (phase) {
    case RestorePhase::kNone:
      return "was never restored";
    case RestorePhase::kRestored:
    case RestorePhase::kWaiting:
      return "waits for datanodes";
    case RestorePhase::kKeeping:
      return "works, and keeps replicas that it does not know";
    case RestorePhase::kSettled:
      return "was restored, and that is settled";
  }
  return "is in a phase that this program does not know";
}

int RunRestored(int argc, const char* const* argv) {
  CLI::App app("How far a restored master is, and the operator's word that lets it go on.",
               "dfs-master restored");
  app.footer(kRestoredExamples);
  MasterAddress master;
  bool without_missing_nodes = false;
  bool forget_unknown = false;
  AddMasterFlags(app, master);
  CLI::Option* missing =
      app.add_flag("--without-missing-nodes",
                   without_missing_nodes,
                   "give out blocks, repair and trim, though not all datanodes are back");
  app.add_flag("--forget-unknown",
               forget_unknown,
               "delete replicas that the master does not know, after the usual grace time")
      ->excludes(missing);
  return Run(app, argc, argv, [&]() -> Status {
    RestoreWord word = RestoreWord::kStatus;
    if (without_missing_nodes) word = RestoreWord::kWithoutMissingNodes;
    if (forget_unknown) word = RestoreWord::kForgetUnknown;
    ASSIGN_OR_RETURN(const RestoreStatus status, TellRestored(master, word));
    std::cout << "the master " << Describe(status.phase) << '\n';
    for (const std::string& node_id : status.missing_node_ids)
      std::cout << "  not back yet: datanode " << node_id << '\n';
    if (status.phase == RestorePhase::kNone) return {};
    std::cout << "  restored from position " << status.backup_position << " of the log\n"
              << "  blocks on datanodes that it does not know: " << status.unknown_replicas << '\n'
              << "  writers ahead of it: " << status.writers_ahead << '\n';
    return {};
  });
}

}  // namespace

std::optional<int> RunCommand(int argc, const char* const* argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "backup") return RunBackup(argc, argv);
  if (command == "restore") return RunRestore(argc, argv);
  if (command == "restored") return RunRestored(argc, argv);
  return std::nullopt;
}

}  // namespace slipstream::dfs::master
