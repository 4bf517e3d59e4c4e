// How many records a second one core takes through the SQL engine: decode → filter → tumbling
// aggregation, and decode → file sink, over records like those of the flights producer (about 370
// bytes). No Kafka: records come from memory, output is thrown away.

#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/nexmark_events.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kRecords = 100'000;
constexpr size_t kBatch = 2'000;

constexpr const char* kFlights = R"(
CREATE TABLE flights_raw (
  id BIGINT, `year` INT, `month` INT, `day` INT, dep_time INT, sched_dep_time INT, dep_delay INT,
  arr_time INT, sched_arr_time INT, arr_delay INT, carrier STRING, flight INT, tailnum STRING,
  origin STRING, dest STRING, air_time INT, distance INT, `hour` INT, `minute` INT,
  time_hour STRING, name STRING,
  ts AS TIMESTAMPADD(
    MINUTE, (`day` - 1) * 1440 + COALESCE(sched_dep_time - 40 * (sched_dep_time / 100), 0),
    TIMESTAMPADD(MONTH, (`year` - 2000) * 12 + `month` - 1, TIMESTAMP '2000-01-01 00:00:00.000')),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'kafka', 'topic' = 'flights-topic', 'format' = 'json');
)";

constexpr const char* kDelays = R"(
CREATE TABLE delays (origin STRING, carrier STRING, s TIMESTAMP(3), c BIGINT, a DOUBLE, m INT)
WITH ('connector' = 'filesystem', 'path' = '/delays/', 'format' = 'json');
INSERT INTO delays
SELECT origin, carrier, window_start, COUNT(*), AVG(CAST(arr_delay AS DOUBLE)), MAX(arr_delay)
FROM TABLE(TUMBLE(TABLE flights_raw, DESCRIPTOR(ts), INTERVAL '1' HOUR))
WHERE arr_delay >= 15
GROUP BY window_start, window_end, origin, carrier;
)";

constexpr const char* kSixFields = R"(
CREATE TABLE t (ts TIMESTAMP(3), carrier STRING, origin STRING, arr_delay INT, distance INT, air_time DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'flights-topic', 'format' = 'json');
CREATE TABLE result (origin STRING, carrier STRING, s TIMESTAMP(3), c BIGINT, a BIGINT, m INT, d DOUBLE)
WITH ('connector' = 'filesystem', 'path' = '/result/', 'format' = 'json');
INSERT INTO result
SELECT origin, carrier, window_start, COUNT(*), SUM(CAST(distance AS BIGINT)), MAX(arr_delay), AVG(air_time)
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))
WHERE arr_delay >= -20
GROUP BY window_start, window_end, origin, carrier;
)";

constexpr const char* kByCarrier = R"(
CREATE TABLE flights (
  id BIGINT, `year` INT, `month` INT, `day` INT, dep_time INT, sched_dep_time INT, dep_delay INT,
  arr_time INT, sched_arr_time INT, arr_delay INT, carrier STRING, flight INT, tailnum STRING,
  origin STRING, dest STRING, air_time INT, distance INT, `hour` INT, `minute` INT,
  time_hour TIMESTAMP(0), name STRING
) PARTITIONED BY (carrier) WITH ('connector' = 'filesystem', 'path' = '/flights/', 'format' = 'json');
INSERT INTO flights
SELECT id, `year`, `month`, `day`, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time,
  arr_delay, carrier, flight, tailnum, origin, dest, air_time, distance, `hour`, `minute`,
  TRY_CAST(time_hour AS TIMESTAMP(0)), name
FROM flights_raw;
)";

// The tables and shapes of bench/sql_figures.py.
constexpr const char* kNexmark = R"(
CREATE TABLE events (
  event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING,
             state STRING, `dateTime` TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
              `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT,
              extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
          `dateTime` TIMESTAMP(3), extra STRING>,
  `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime`
                     WHEN event_type = 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'nexmark', 'format' = 'json');
CREATE VIEW bids AS
SELECT bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, bid.channel AS channel,
  bid.url AS url, `dateTime`, bid.extra AS extra
FROM events WHERE event_type = 2;
)";

constexpr const char* kPassThrough = R"(
CREATE TABLE result (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING)
WITH ('connector' = 'blackhole');
INSERT INTO result SELECT auction, bidder, price, `dateTime`, extra FROM bids;
)";

constexpr const char* kToKafka = R"(
CREATE TABLE result (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING)
WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json');
INSERT INTO result SELECT auction, bidder, price, `dateTime`, extra FROM bids;
)";

constexpr const char* kSplit = R"(
CREATE TABLE result (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, dir1 STRING,
  dir2 STRING, dir3 STRING) WITH ('connector' = 'blackhole');
INSERT INTO result SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3),
  SPLIT_INDEX(url, '/', 4), SPLIT_INDEX(url, '/', 5) FROM bids;
)";

constexpr const char* kTumble = R"(
CREATE TABLE result (auction BIGINT, bids BIGINT, total BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3))
WITH ('connector' = 'blackhole');
INSERT INTO result SELECT auction, COUNT(*), SUM(price), window_start, window_end
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end;
)";

constexpr const char* kHop = R"(
CREATE TABLE result (auction BIGINT, bids BIGINT, total BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3))
WITH ('connector' = 'blackhole');
INSERT INTO result SELECT auction, COUNT(*), SUM(price), window_start, window_end
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end;
)";

constexpr const char* kSession = R"(
CREATE TABLE result (bidder BIGINT, bids BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3))
WITH ('connector' = 'blackhole');
INSERT INTO result SELECT bidder, COUNT(*), window_start, window_end
FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(`dateTime`), INTERVAL '0.3' SECOND))
GROUP BY bidder, window_start, window_end;
)";

// Records in event-time order, one minute for about 0.6 of them, as in a year of New York.
std::vector<std::string> MakeFlights() {
  constexpr const char* kCarriers[] = {"UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX"};
  constexpr const char* kOrigins[] = {"EWR", "JFK", "LGA"};
  std::mt19937_64 random(1);
  std::vector<std::string> records;
  for (size_t i = 0; i < kRecords; ++i) {
    const size_t minute = i * 10 / 6;
    const size_t day = minute / 1440 % 28 + 1;
    const size_t month = minute / 1440 / 28 % 12 + 1;
    const size_t hour = minute / 60 % 24;
    const size_t hhmm = hour * 100 + minute % 60;
    records.push_back(fmt::format(
        R"({{"id":{},"year":2013,"month":{},"day":{},"dep_time":{},"sched_dep_time":{},"dep_delay":{},)"
        R"("arr_time":{},"sched_arr_time":{},"arr_delay":{},"carrier":"{}","flight":{},)"
        R"("tailnum":"N{}","origin":"{}","dest":"IAH","air_time":{},"distance":{},"hour":{},)"
        R"("minute":{},"time_hour":"2013-{:02}-{:02} {:02}:00:00","name":"United Air Lines Inc.",)"
        R"("ts":"2013-{:02}-{:02} {:02}:{:02}:00"}})",
        i,
        month,
        day,
        hhmm,
        hhmm,
        random() % 60,
        hhmm,
        hhmm,
        static_cast<int>(random() % 100) - 30,
        kCarriers[random() % 10],
        random() % 3000,
        random() % 90000 + 10000,
        kOrigins[random() % 3],
        random() % 400 + 30,
        random() % 2500,
        hour,
        minute % 60,
        month,
        day,
        hour,
        month,
        day,
        hour,
        minute % 60));
  }
  return records;
}

constexpr size_t kEvents = 2'000'000;

std::vector<std::string> MakeEvents() {
  bench::NexmarkEvents events;
  std::vector<std::string> records(kEvents);
  for (std::string& record : records)
    events.Append("", record);
  return records;
}

class NoOutput final : public runtime::TaskOutput {
 public:
  void ToKafka(size_t, const runtime::OutputRecord& record) override {
    bytes += record.value.value_or("").size();
  }
  void ToFile(size_t, std::string_view, std::string_view rows, uint64_t count) override {
    bytes += rows.size();
    row_count += count;
  }
  void ToExchange(size_t, uint64_t, std::string_view) override {}
  void ToPrint(size_t, std::string_view) override {}
  void ToDeadLetters(const runtime::InputRecord&, std::string_view) override { ++dead; }
  void ToLateRows(size_t, const runtime::InputRecord&, std::string_view) override {}

  uint64_t bytes = 0;
  uint64_t row_count = 0;
  uint64_t dead = 0;
};

void RunJob(benchmark::State& state,
            const std::vector<std::string>& records,
            const std::string& topic,
            const std::string& sql) {
  std::vector<runtime::InputRecord> inputs(records.size());
  uint64_t bytes = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    inputs[i].value = records[i];
    inputs[i].offset = static_cast<int64_t>(i);
    bytes += records[i].size();
  }
  Planner planner({.every_input_is_bounded = false, .settings = {}});
  const Result<JobPlan> plan = planner.Plan("bench", sql);
  if (!plan.ok()) return state.SkipWithError(plan.status().message().c_str());
  const auto program =
      CompileJob(*plan, {.is_bounded = false, .partition_count = [](const auto&) { return 1; }});
  if (!program.ok()) return state.SkipWithError(program.status().message().c_str());
  NoOutput output;
  for (auto _ : state) {
    const auto task = (*program)->MakeSourceTask(0, topic, 0);
    for (size_t first = 0; first < inputs.size(); first += kBatch) {
      const auto batch = std::span<const runtime::InputRecord>(inputs).subspan(
          first, std::min(kBatch, inputs.size() - first));
      if (!task->Process(batch, nullptr, output).ok()) state.SkipWithError("process");
    }
    if (!task->EndOfInput(output).ok()) state.SkipWithError("end");
  }
  if (output.dead > 0) state.SkipWithError("dead letters");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * records.size()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
}

void RunFlights(benchmark::State& state, const std::string& sql) {
  RunJob(state, MakeFlights(), "flights-topic", sql);
}

void RunNexmark(benchmark::State& state, const char* sql) {
  static const std::vector<std::string> events = MakeEvents();
  RunJob(state, events, "nexmark", std::string(kNexmark) + sql);
}

// Keeps the rows that go through the exchange.
class ExchangedRows final : public runtime::TaskOutput {
 public:
  void ToKafka(size_t, const runtime::OutputRecord&) override {}
  void ToFile(size_t, std::string_view, std::string_view, uint64_t) override {}
  void ToExchange(size_t, uint64_t, std::string_view row) override {
    rows.emplace_back(row);
    bytes += row.size();
  }
  void ToPrint(size_t, std::string_view) override {}
  void ToDeadLetters(const runtime::InputRecord&, std::string_view) override {}
  void ToLateRows(size_t, const runtime::InputRecord&, std::string_view) override {}

  std::vector<std::string> rows;
  uint64_t bytes = 0;
};

constexpr const char* kByFlight = R"(
CREATE TABLE t (flight INT, arr_delay INT, distance INT, air_time DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'flights-topic', 'format' = 'json');
CREATE TABLE result (flight INT, c BIGINT, s INT, m INT, a DOUBLE) WITH ('connector' = 'blackhole');
INSERT INTO result
SELECT flight, COUNT(*), SUM(distance), MAX(arr_delay), AVG(air_time) FROM t GROUP BY flight;
)";

// Both stages of a running aggregate of 3,000 groups over a topic of several partitions, where
// 100,000 records come between two commits; without what Kafka takes for the rows between them.
void RunTwoStages(benchmark::State& state, const std::string& phases) {
  const std::vector<std::string> records = MakeFlights();
  std::vector<runtime::InputRecord> inputs(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    inputs[i].value = records[i];
    inputs[i].offset = static_cast<int64_t>(i);
  }
  Planner planner({.every_input_is_bounded = false, .settings = {}});
  const Result<JobPlan> plan = planner.Plan(
      "bench", "SET 'table.optimizer.agg-phase-strategy' = '" + phases + "';" + kByFlight);
  if (!plan.ok()) return state.SkipWithError(plan.status().message().c_str());
  const auto program =
      CompileJob(*plan, {.is_bounded = false, .partition_count = [](const auto&) { return 3; }});
  if (!program.ok()) return state.SkipWithError(program.status().message().c_str());
  ExchangedRows exchanged;
  NoOutput output;
  for (auto _ : state) {
    exchanged.rows.clear();
    exchanged.bytes = 0;
    const auto sender = (*program)->MakeSourceTask(0, "flights-topic", 0);
    const auto receiver = (*program)->MakeStageTask(1, 0);
    for (size_t first = 0; first < inputs.size(); first += kBatch) {
      const auto batch = std::span<const runtime::InputRecord>(inputs).subspan(
          first, std::min(kBatch, inputs.size() - first));
      if (!sender->Process(batch, nullptr, exchanged).ok()) state.SkipWithError("process");
    }
    if (!sender->EndEpoch(exchanged).ok()) state.SkipWithError("end of epoch");
    const std::vector<std::string_view> rows(exchanged.rows.begin(), exchanged.rows.end());
    for (size_t first = 0; first < rows.size(); first += kBatch) {
      const auto batch = std::span<const std::string_view>(rows).subspan(
          first, std::min(kBatch, rows.size() - first));
      if (!receiver->ProcessExchanged(0, batch, output).ok()) state.SkipWithError("exchanged");
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  state.counters["rows_exchanged"] = static_cast<double>(exchanged.rows.size());
  state.counters["bytes_exchanged"] = static_cast<double>(exchanged.bytes);
}

void BM_TwoStagesOnePhase(benchmark::State& state) {
  RunTwoStages(state, "ONE_PHASE");
}
BENCHMARK(BM_TwoStagesOnePhase)->Unit(benchmark::kMillisecond);

void BM_TwoStagesTwoPhases(benchmark::State& state) {
  RunTwoStages(state, "TWO_PHASE");
}
BENCHMARK(BM_TwoStagesTwoPhases)->Unit(benchmark::kMillisecond);

void BM_TumbleSixFields(benchmark::State& state) {
  RunFlights(state, kSixFields);
}
BENCHMARK(BM_TumbleSixFields)->Unit(benchmark::kMillisecond);

void BM_FlightsDelays(benchmark::State& state) {
  RunFlights(state, std::string(kFlights) + kDelays);
}
BENCHMARK(BM_FlightsDelays)->Unit(benchmark::kMillisecond);

void BM_FlightsByCarrier(benchmark::State& state) {
  RunFlights(state, std::string(kFlights) + kByCarrier);
}
BENCHMARK(BM_FlightsByCarrier)->Unit(benchmark::kMillisecond);

BENCHMARK_CAPTURE(RunNexmark, PassThrough, kPassThrough)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(RunNexmark, Split, kSplit)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(RunNexmark, Tumble, kTumble)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(RunNexmark, Hop, kHop)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(RunNexmark, Session, kSession)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(RunNexmark, ToKafka, kToKafka)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace slipstream::sql

BENCHMARK_MAIN();
