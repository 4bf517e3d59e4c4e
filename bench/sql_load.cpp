// Loads for sql_bench.py, which starts Kafka and the processors. Each command prints lines of
// "name=value".

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/kafka_load.h"
#include "common/kafka/admin.h"

namespace {

namespace bench = slipstream::bench;
using slipstream::Status;

Status Create(const bench::KafkaLoadOptions& options, int32_t partitions) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<slipstream::kafka::Admin> admin,
      slipstream::kafka::Admin::Create({.properties = {{"bootstrap.servers", options.brokers}}}));
  return admin->CreateTopic({.name = options.topic, .partition_count = partitions, .config = {}});
}

Status Fetch(const bench::KafkaLoadOptions& options, bool parses) {
  ASSIGN_OR_RETURN(const bench::FetchFigures figures, bench::FetchTopic(options, parses));
  std::cout << "events=" << figures.events << "\nbytes=" << figures.bytes
            << "\nwall_s=" << figures.wall_s << "\ncpu_s=" << figures.cpu_s
            << "\nchecksum=" << figures.checksum << '\n';
  return {};
}

Status Latency(const bench::KafkaLoadOptions& options,
               const std::string& result_topic,
               uint64_t rate,
               uint64_t seconds) {
  ASSIGN_OR_RETURN(
      const std::vector<int64_t> micros,
      bench::MeasureLatency(options, result_topic, rate, std::chrono::seconds(seconds)));
  const auto at = [&](size_t percent) {
    return static_cast<double>(micros[(micros.size() - 1) * percent / 100]) / 1e3;
  };
  std::cout << "events=" << micros.size() << "\np50_ms=" << at(50) << "\np99_ms=" << at(99)
            << "\nmax_ms=" << at(100) << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads on Kafka for the benchmark of SQL jobs.", "sql_load");
  app.require_subcommand(1);
  bench::KafkaLoadOptions options;
  bool parses = false;
  std::string result_topic;
  uint64_t rate = 10'000;
  uint64_t seconds = 10;
  Status status;

  int32_t partitions = 1;

  CLI::App& create = *app.add_subcommand("create", "makes a topic");
  CLI::App& fill = *app.add_subcommand("fill", "sends Nexmark's events");
  CLI::App& fetch = *app.add_subcommand("fetch", "reads them, and does nothing else");
  CLI::App& latency = *app.add_subcommand("latency", "times events through a running job");
  for (CLI::App* command : {&create, &fill, &fetch, &latency}) {
    command->add_option("--brokers", options.brokers, "HOST:PORT")->required();
    command->add_option("--topic", options.topic)->required();
  }
  for (CLI::App* command : {&fill, &fetch})
    command->add_option("--events", options.events)->required();
  create.add_option("--partitions", partitions)->capture_default_str();
  fetch.add_flag("--parse", parses, "with simdjson over three fields");
  latency.add_option("--result-topic", result_topic)->required();
  latency.add_option("--rate", rate, "events a second")->capture_default_str();
  latency.add_option("--seconds", seconds)->capture_default_str();
  create.callback([&] { status = Create(options, partitions); });
  fill.callback([&] { status = bench::FillTopic(options); });
  fetch.callback([&] { status = Fetch(options, parses); });
  latency.callback([&] { status = Latency(options, result_topic, rate, seconds); });

  CLI11_PARSE(app, argc, argv);
  if (status.ok()) return 0;
  std::cerr << "sql_load: " << status.ToString() << '\n';
  return 1;
}
