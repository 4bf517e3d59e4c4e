#include "common/log/log.h"

#include <cstdio>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/sync/mutex.h"

namespace slipstream::log {
namespace {

constexpr const char* kPattern = "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l logger=%n thread=%t %v";
constexpr size_t kQuotedBytesMax = 512;

struct Registry {
  Mutex mutex;
  spdlog::sink_ptr sink GUARDED_BY(mutex);
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

spdlog::sink_ptr MakeSink(bool to_stderr) {
  spdlog::sink_ptr sink;
  if (to_stderr) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  }
  sink->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(kPattern, spdlog::pattern_time_type::utc));
  return sink;
}

}  // namespace

std::shared_ptr<spdlog::logger> Get(const std::string& name) {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mutex);
  if (auto logger = spdlog::get(name)) return logger;
  if (!registry.sink) registry.sink = MakeSink(true);
  auto logger = std::make_shared<spdlog::logger>(name, registry.sink);
  logger->set_level(spdlog::get_level());
  logger->flush_on(spdlog::level::info);
  spdlog::register_logger(logger);
  return logger;
}

void Init(const Options& options) {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mutex);
  const std::shared_ptr<spdlog::sinks::sink> sink = MakeSink(options.to_stderr);
  registry.sink = sink;
  spdlog::set_level(spdlog::level::from_str(options.level));
  spdlog::apply_all(
      [&](const std::shared_ptr<spdlog::logger>& logger) { logger->sinks().assign(1, sink); });
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text.substr(0, kQuotedBytesMax)) {
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (c == '\n') {
      quoted.append("\\n");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted.append(fmt::format("\\x{:02x}", static_cast<unsigned char>(c)));
    } else {
      quoted.push_back(c);
    }
  }
  if (text.size() > kQuotedBytesMax) quoted.append("…");
  quoted.push_back('"');
  return quoted;
}

}  // namespace slipstream::log
