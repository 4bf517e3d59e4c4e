#include "producer/app/commands.h"
#include "producer/app/local_time.h"
#include "producer/app/session.h"
#include "producer/csv/byte_source.h"
#include "producer/sensors/weather_replay.h"
#include "producer/sensors/weather_simulator.h"

namespace slipstream::producer {
namespace {

int Replay(const SensorsOptions& options, Session& session) {
  WeatherReplay replay({.file = options.csv_file,
                        .is_strict = options.is_strict,
                        .sort_memory_bytes = options.sort.memory_bytes,
                        .temp_directory = options.sort.temp_directory},
                       session.rejected());
  if (Status loaded = replay.Load(); !loaded.ok()) return session.Fail(loaded);
  return session.Send(replay, replay.read_count(), [&] { return replay.read_count(); });
}

// Counts what is taken from a source that has no rows of its own.
class Counted final : public RecordSource {
 public:
  explicit Counted(RecordSource& source) : source_(source) {}
  Result<bool> Next(Record& record) override {
    ASSIGN_OR_RETURN(bool more, source_.Next(record));
    count_ += more ? 1 : 0;
    return more;
  }
  uint64_t count() const { return count_; }

 private:
  RecordSource& source_;
  uint64_t count_ = 0;
};

int Simulate(const SensorsOptions& options, Session& session) {
  WeatherSimulator simulator({.devices = options.devices,
                              .intervals = options.intervals,
                              .start = LocalTime(SystemClock::Get().WallNow()),
                              .seed = options.seed});
  Counted counted(simulator);
  return session.Send(counted, 0, [&] { return counted.count(); });
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
