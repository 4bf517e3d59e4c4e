#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/daemon/flags.h"
#include "common/kafka/types.h"

namespace slipstream::processor {

// What is known of a job beside its text.
struct JobFlags {
  std::string brokers = "localhost:9092";
  kafka::Properties kafka_properties;  // librdkafka's, of TLS or SASL
  std::string master = "127.0.0.1:7400";
  std::map<std::string, std::string> settings;  // SET before the file
  std::vector<std::string> catalogs;            // files whose CREATEs run first
  std::string tls_dir;                          // of what goes to the file system; empty: no TLS
  std::chrono::milliseconds connect_timeout{60'000};
};

// How Kafka is reached, where a table does not say otherwise.
kafka::Properties KafkaProperties(const JobFlags& flags);

struct RunFlags {
  JobFlags job;
  std::string file;
  size_t workers = 1;
  size_t standbys = 0;                           // of each task
  std::string state_dir;                         // where slots are kept
  std::chrono::milliseconds commit_interval{0};  // 0: as the job says, or 1 s
  bool is_bounded = false;
  bool is_fresh = false;
  std::string savepoint;      // the job begins with; empty: none
  bool is_temporary = false;  // see runtime::JobOptions; no flag says it
  daemon::DaemonFlags daemon;
};

struct QueryFlags {
  JobFlags job;
  std::string sql;
  std::string format = "table";  // table, json, csv
  daemon::DaemonFlags daemon;    // the log level alone
};

struct CheckFlags {
  JobFlags job;  // settings and catalogs alone
  std::vector<std::string> files;
  bool is_bounded = false;
  bool shows_plan = false;
};

struct SavepointFlags {
  RunFlags run;    // how the job was run
  std::string to;  // the new file; empty: one named by job and time
};

struct SqlFlags {
  RunFlags run;            // of every statement; the file is not set
  std::string file;        // -f; empty: none
  std::string statements;  // -e
  std::string history_file;
};

struct CommandLine {
  enum class Command { kRun, kQuery, kSql, kCheck, kSavepoint };
  Command command = Command::kRun;
  RunFlags run;
  QueryFlags query;
  SqlFlags sql;
  CheckFlags check;
  SavepointFlags savepoint;

  const std::string& log_level() const;
};

// Reads flags, config file and environment. Returns the exit code when the process is to end now
// (after --help, or a usage error, already printed).
std::optional<int> ParseCommandLine(int argc, const char* const* argv, CommandLine& line);

}  // namespace slipstream::processor
