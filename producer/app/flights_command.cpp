#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/daemon/flags.h"
#include "producer/app/commands.h"
#include "producer/app/csv_export.h"
#include "producer/app/local_time.h"
#include "producer/app/session.h"
#include "producer/csv/byte_source.h"
#include "producer/flights/csv_flights.h"
#include "producer/flights/flight_replay.h"
#include "producer/synthetic/synthetic_flights.h"

namespace slipstream::producer {
namespace {

std::unique_ptr<FlightSource> MakeSource(const FlightsOptions& options, RejectedRows& rejected) {
  if (options.is_synthetic) {
    return std::make_unique<synthetic::SyntheticFlights>(
        synthetic::SyntheticFlights::Options{.flights = options.flights, .seed = options.seed});
  }
  CsvFlights::Options csv{.layout = options.layout, .is_strict = options.is_strict};
  csv.files.assign(options.csv_files.begin(), options.csv_files.end());
  return std::make_unique<CsvFlights>(std::move(csv), rejected);
}

}  // namespace

int RunFlights(const FlightsOptions& options, const std::stop_token& stop) {
  Session session(options.output, stop);
  std::unique_ptr<FlightSource> source = MakeSource(options, session.rejected());
  // Found out before a broker is waited for.
  for (const std::string& file : options.csv_files) {
    if (Status readable = CheckReadable(file); !readable.ok()) return session.Fail(readable);
  }
  if (!options.write_csv.empty()) {
    Result<uint64_t> rows = WriteCsv(*source, options.write_csv, options.output.limit, stop);
    if (!rows.ok()) return session.Fail(rows.error());
    session.progress().Say(fmt::format("rows_written={} rows_skipped={} file={}",
                                       *rows,
                                       session.rejected().count(),
                                       options.write_csv));
    return daemon::kExitDone;
  }
  FlightReplay::Options replay_options{
      .is_sorted = options.sort.is_sorted,
      .sort_memory_bytes = options.sort.memory_bytes,
      .temp_directory = options.sort.temp_directory,
      .loops = options.loops,
      .key = FieldNamed(options.key),
      .numbers = options.has_numbers_as_strings ? NumberStyle::kStrings : NumberStyle::kNumbers,
      .rows_read = &session.rows_read()};
  if (options.shifts_to_now) replay_options.start = LocalTime(SystemClock::Get().WallNow());
  FlightReplay replay(*source, replay_options);
  if (Status connected = session.Connect(); !connected.ok()) return session.Fail(connected);
  Status loaded = replay.Load(stop, [&](uint64_t rows) { session.progress().Reading(rows); });
  if (!loaded.ok()) return session.Fail(loaded);
  return session.Send(replay, replay.total_count());
}

}  // namespace slipstream::producer
