#include <atomic>
#include <chrono>

#include "common/check/check.h"
#include "producer/app/commands.h"
#include "producer/app/local_time.h"
#include "producer/app/session.h"
#include "producer/csv/byte_source.h"
#include "producer/sensors/sensor_profile.h"
#include "producer/sensors/sensor_simulator.h"
#include "producer/sensors/weather_replay.h"

namespace slipstream::producer {
namespace {

int Replay(const SensorsOptions& options, Session& session) {
  WeatherReplay replay({.file = options.csv_file,
                        .is_strict = options.is_strict,
                        .sort_memory_bytes = options.sort.memory_bytes,
                        .temp_directory = options.sort.temp_directory,
                        .rows_read = &session.rows_read()},
                       session.rejected());
  if (Status loaded = replay.Load(); !loaded.ok()) return session.Fail(loaded);
  return session.Send(replay, replay.total_count());
}

// Counts what is taken from a source that has no rows of its own.
class Counted final : public RecordSource {
 public:
  Counted(RecordSource& source, std::atomic<uint64_t>& count) : source_(source), count_(count) {}
  Result<bool> Next(Record& record) override {
    ASSIGN_OR_RETURN(bool more, source_.Next(record));
    if (more) ++count_;
    return more;
  }

 private:
  RecordSource& source_;
  std::atomic<uint64_t>& count_;
};

// What the profile's clocks show now, in whole seconds.
std::chrono::local_time<std::chrono::milliseconds> Now(const SensorProfile& profile) {
  WallTime now = SystemClock::Get().WallNow();
  std::chrono::local_time<std::chrono::milliseconds> time =
      profile.is_utc ? std::chrono::local_time<std::chrono::milliseconds>(now.time_since_epoch())
                     : LocalTime(now);
  return std::chrono::floor<std::chrono::seconds>(time);
}

int Simulate(const SensorsOptions& options, Session& session) {
  const SensorProfile* profile = FindSensorProfile(options.profile);
  SLIPSTREAM_CHECK(profile != nullptr, "profile {} was not checked", options.profile);
  SensorSimulator simulator({.profile = profile,
                             .devices = options.devices,
                             .intervals = options.intervals,
                             .start = options.start.value_or(Now(*profile)),
                             .seed = options.seed,
                             .anomaly_ratio = options.anomaly_ratio});
  Counted counted(simulator, session.rows_read());
  return session.Send(counted, 0);
}

}  // namespace

int RunSensors(const SensorsOptions& options, const std::stop_token& stop) {
  Session session(options.output, stop);
  if (!options.csv_file.empty()) {
    Status readable = CheckReadable(options.csv_file);
    if (!readable.ok()) return session.Fail(readable);
  }
  if (Status connected = session.Connect(); !connected.ok()) return session.Fail(connected);
  return options.csv_file.empty() ? Simulate(options, session) : Replay(options, session);
}

}  // namespace slipstream::producer
