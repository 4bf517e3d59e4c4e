#include "processor/app/command_line.h"

#include <cstdlib>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/duration/duration.h"

namespace slipstream::processor {
namespace {

constexpr const char* kRunExamples = R"(
Examples:
  processor run jobs/flights_by_carrier.sql
      until interrupted; started again, here or on another machine, it goes on where it was
  processor run jobs/flights_delays.sql --bounded
      what is in the topics now, then exit 0
  processor run jobs/flights_delays.sql --workers 2 --set scan.startup.mode=latest-offset
      two threads; more processes with the same job share its partitions
  processor run jobs/carrier_report.sql --master 10.0.0.1:7400
      a batch job over stored files)";

constexpr const char* kQueryExamples = R"(
Examples:
  processor query "SELECT carrier, COUNT(*) AS flights FROM flights GROUP BY carrier" \
      --catalog jobs/carrier_report.sql
  processor query "SELECT * FROM delays ORDER BY origin, carrier" --catalog tables.sql --format csv)";

constexpr const char* kSqlExamples = R"(
Examples:
  processor sql --catalog tables.sql
      a prompt: statements up to ";", HELP says which; Ctrl-C stops what runs, QUIT ends
  processor sql -e "SHOW TABLES; DESCRIBE flights" --catalog jobs/flights_delays.sql
  processor sql < statements.sql
      one after another, to the first error, without a prompt)";

constexpr const char* kCheckExamples = R"(
Examples:
  processor check jobs/*.sql
      exit 0 if every job could run; needs neither Kafka nor a file system
  processor check jobs/flights_delays.sql --plan
      with the plan of every INSERT, its exchanges between stages included)";

constexpr const char* kSavepointExamples = R"(
Examples:
  processor savepoint jobs/flights_delays.sql
      to dfs:///savepoints/flights_delays/<time>; prints the path
  processor savepoint jobs/flights_delays.sql --to /backup/delays.savepoint
  processor run jobs/flights_delays.sql --fresh --from-savepoint /backup/delays.savepoint
      back to where the job was then; without --fresh only a job that has no state takes it)";

constexpr std::chrono::milliseconds kSqlConnectTimeout{10'000};

std::string DefaultStateDir() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return (std::filesystem::path(state) / "slipstream").string();
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return (std::filesystem::path(home) / ".local/state/slipstream").string();
  }
  return "/var/lib/slipstream/processor";
}

void AddDuration(CLI::App& app,
                 const char* name,
                 std::chrono::milliseconds& target,
                 const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target, name](const std::string& text) {
           Result<std::chrono::milliseconds> duration = ParseDuration(text);
           if (!duration.ok()) throw CLI::ValidationError(name, duration.error().message());
           target = *duration;
         },
         help)
      ->type_name("DURATION");
}

void AddSettings(CLI::App& app, JobFlags& flags) {
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&flags](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             size_t equals = text.find('=');
             if (equals == 0 || equals == std::string::npos) {
               throw CLI::ValidationError("--set", "a setting is KEY=VALUE, not " + text);
             }
             flags.settings.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
           }
         },
         "KEY=VALUE: SET before the file; may be repeated")
      ->expected(1)
      ->take_all();
}

void AddCatalogs(CLI::App& app, JobFlags& flags) {
  app.add_option(
         "--catalog", flags.catalogs, "SQL file whose tables are declared first; repeatable")
      ->check(CLI::ExistingFile)
      ->expected(1)
      ->take_all();
}

void AddJobFlags(CLI::App& app, JobFlags& flags) {
  app.add_option(
         "--brokers", flags.brokers, "Kafka's addresses, HOST:PORT,…, for tables that name none")
      ->capture_default_str();
  daemon::AddKafkaPropertyFlag(app, flags.kafka_properties);
  app.add_option("--master", flags.master, "The dfs-master of dfs:///… paths, HOST:PORT")
      ->capture_default_str();
  daemon::AddTlsFlag(app, flags.tls_dir);
  AddSettings(app, flags);
  AddCatalogs(app, flags);
  AddDuration(app,
              "--connect-timeout",
              flags.connect_timeout,
              fmt::format("How long brokers, topics and master may take to appear [{}s]",
                          flags.connect_timeout.count() / 1'000));
}

void AddRun(CLI::App& app, RunFlags& flags) {
  app.footer(kRunExamples);
  app.add_option("file", flags.file, "The job, a SQL file")->required()->check(CLI::ExistingFile);
  AddJobFlags(app, flags.job);
  app.add_option("--workers", flags.workers, "Threads that share the job's partitions")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--standby",
                 flags.standbys,
                 "Other workers that keep a copy of each task's state, to take it over at once; "
                 "a copy costs as much memory as the state")
      ->check(CLI::Range(0, 8))
      ->capture_default_str();
  flags.state_dir = DefaultStateDir();
  app.add_option("--state-dir", flags.state_dir, "Keeps this machine's names of its workers")
      ->capture_default_str();
  AddDuration(app,
              "--commit-interval",
              flags.commit_interval,
              "Time between commits [1s, or SET 'execution.checkpointing.interval']");
  app.add_flag("--bounded", flags.is_bounded, "Read what the topics hold now, then end");
  app.add_flag("--fresh", flags.is_fresh, "Discard what the job has committed and start anew");
  app.add_option("--from-savepoint",
                 flags.savepoint,
                 "Begin where `processor savepoint` saved the job: dfs:///… or a local path");
  daemon::AddDaemonFlags(app, flags.daemon);
}

void AddQuery(CLI::App& app, QueryFlags& flags) {
  app.footer(kQueryExamples);
  app.add_option("sql", flags.sql, "One SELECT")->required();
  AddJobFlags(app, flags.job);
  app.add_option("--format", flags.format, "table, json (an object a line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  flags.daemon.log_level = "warn";
  daemon::AddLogFlags(app, flags.daemon);
}

void AddSql(CLI::App& app, SqlFlags& flags) {
  app.footer(kSqlExamples);
  auto* const file = app.add_option("-f,--file", flags.file, "Runs the statements of a SQL file")
                         ->check(CLI::ExistingFile);
  app.add_option("-e,--execute", flags.statements, "Runs these statements")->excludes(file);
  // Somebody waits for the answer.
  flags.run.job.connect_timeout = kSqlConnectTimeout;
  AddJobFlags(app, flags.run.job);
  app.add_option("--workers", flags.run.workers, "Threads that share a statement's partitions")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  flags.run.state_dir = DefaultStateDir();
  app.add_option("--state-dir", flags.run.state_dir, "Keeps this machine's names of its workers")
      ->capture_default_str();
  flags.history_file = (std::filesystem::path(DefaultStateDir()) / "sql_history").string();
  app.add_option("--history", flags.history_file, "Keeps the lines typed at the prompt")
      ->capture_default_str();
  flags.run.daemon.log_level = "warn";
  daemon::AddLogFlags(app, flags.run.daemon);
}

void AddCheck(CLI::App& app, CheckFlags& flags) {
  app.footer(kCheckExamples);
  app.add_option("file", flags.files, "The jobs, SQL files")->required()->check(CLI::ExistingFile);
  AddSettings(app, flags.job);
  AddCatalogs(app, flags.job);
  app.add_flag("--bounded", flags.is_bounded, "As `run --bounded` would have them");
  app.add_flag("--plan", flags.shows_plan, "Print the plan of every INSERT");
}

void AddSavepoint(CLI::App& app, SavepointFlags& flags) {
  app.footer(kSavepointExamples);
  app.add_option("file", flags.run.file, "The job, a SQL file")
      ->required()
      ->check(CLI::ExistingFile);
  AddJobFlags(app, flags.run.job);
  app.add_option("--to", flags.to, "The new file: dfs:///… or a local path")
      ->default_str("dfs:///savepoints/<job>/<time>");
  app.add_flag("--bounded", flags.run.is_bounded, "The job was run so");
  flags.run.daemon.log_level = "warn";
  daemon::AddLogFlags(app, flags.run.daemon);
}

}  // namespace

kafka::Properties KafkaProperties(const JobFlags& flags) {
  kafka::Properties properties = {{"bootstrap.servers", flags.brokers}};
  properties.insert(properties.end(), flags.kafka_properties.begin(), flags.kafka_properties.end());
  return properties;
}

const std::string& CommandLine::log_level() const {
  switch (command) {
    case Command::kRun:
      return run.daemon.log_level;
    case Command::kSavepoint:
      return savepoint.run.daemon.log_level;
    case Command::kSql:
      return sql.run.daemon.log_level;
    case Command::kQuery:
    case Command::kCheck:
      break;
  }
  return query.daemon.log_level;
}

std::optional<int> ParseCommandLine(int argc, const char* const* argv, CommandLine& line) {
  CLI::App app("Runs streaming SQL over Kafka and stored files, exactly once.");
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run", "Run a job file: streaming, bounded or batch");
  CLI::App* query = app.add_subcommand("query", "Print the result of a SELECT over stored files");
  CLI::App* sql =
      app.add_subcommand("sql", "A shell: statements one by one, at a prompt or from a pipe");
  CLI::App* check = app.add_subcommand("check", "Say whether job files could run");
  CLI::App* savepoint =
      app.add_subcommand("savepoint", "Save a job's state and position to a file");
  AddRun(*run, line.run);
  AddQuery(*query, line.query);
  AddSql(*sql, line.sql);
  AddCheck(*check, line.check);
  AddSavepoint(*savepoint, line.savepoint);
  if (std::optional<int> exit_code = daemon::ParseFlags(app, argc, argv)) return exit_code;
  line.command = run->parsed()         ? CommandLine::Command::kRun
                 : query->parsed()     ? CommandLine::Command::kQuery
                 : sql->parsed()       ? CommandLine::Command::kSql
                 : savepoint->parsed() ? CommandLine::Command::kSavepoint
                                       : CommandLine::Command::kCheck;
  return std::nullopt;
}

}  // namespace slipstream::processor
