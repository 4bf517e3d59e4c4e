#include "common/log/log.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/log/format.h"
#include "common/log/json_formatter.h"
#include "common/log/level.h"
#include "common/sync/mutex.h"
#include "common/trace/trace.h"

namespace slipstream::log {
namespace {

// %* is TraceFlag's.
constexpr const char* kPattern = "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l logger=%n thread=%t%* %v";
constexpr char kTraceFlag = '*';
constexpr size_t kQuotedBytesMax = 512;

struct Registry {
  Mutex mutex;
  spdlog::sink_ptr sink GUARDED_BY(mutex);
  Format format GUARDED_BY(mutex) = Format::kLogfmt;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

// What the line is about, where it bears a name. Lines are written by the thread that logs them.
class TraceFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& /*message*/,
              const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    const trace::Id id = trace::Current();
    if (!id.is_set()) return;
    const std::string text = " trace=" + id.ToString();
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TraceFlag>();
  }
};

std::unique_ptr<spdlog::formatter> MakeFormatter(Format format) {
  if (format == Format::kJson) return std::make_unique<JsonFormatter>();
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<TraceFlag>(kTraceFlag).set_pattern(kPattern);
  return formatter;
}

spdlog::sink_ptr MakeSink(bool to_stderr, Format format) {
  spdlog::sink_ptr sink;
  if (to_stderr) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  }
  sink->set_formatter(MakeFormatter(format));
  return sink;
}

std::string NameOf(spdlog::level::level_enum level) {
  // The word of the command line, where spdlog would say "warning".
  if (level == spdlog::level::warn) return "warn";
  const spdlog::string_view_t name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

bool IsAtOrBelow(std::string_view name, std::string_view above) {
  return name.starts_with(above) && (name.size() == above.size() || name[above.size()] == '.');
}

}  // namespace

std::shared_ptr<spdlog::logger> Get(const std::string& name) {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mutex);
  if (auto logger = spdlog::get(name)) return logger;
  if (!registry.sink) registry.sink = MakeSink(true, registry.format);
  auto logger = std::make_shared<spdlog::logger>(name, registry.sink);
  logger->set_level(spdlog::get_level());
  logger->flush_on(spdlog::level::info);
  spdlog::register_logger(logger);
  return logger;
}

void Init(const Options& options) {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mutex);
  const std::shared_ptr<spdlog::sinks::sink> sink = MakeSink(options.to_stderr, registry.format);
  registry.sink = sink;
  spdlog::set_level(spdlog::level::from_str(options.level));
  spdlog::apply_all(
      [&](const std::shared_ptr<spdlog::logger>& logger) { logger->sinks().assign(1, sink); });
}

void SetFormat(Format format) {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mutex);
  registry.format = format;
  if (registry.sink) registry.sink->set_formatter(MakeFormatter(format));
}

Status SetLevel(std::string_view logger, const std::string& level) {
  const spdlog::level::level_enum wanted = spdlog::level::from_str(level);
  // from_str answers "off" to what it does not know.
  if (wanted == spdlog::level::off && level != "off") {
    return InvalidArgument("no such level: " + Quoted(level));
  }
  MutexLock lock(TheRegistry().mutex);
  if (logger.empty()) {
    spdlog::set_level(wanted);
    return {};
  }
  bool is_found = false;
  spdlog::apply_all([&](const std::shared_ptr<spdlog::logger>& one) {
    if (!IsAtOrBelow(one->name(), logger)) return;
    one->set_level(wanted);
    is_found = true;
  });
  if (!is_found) return NotFound("no logger of that name: " + Quoted(logger));
  return {};
}

std::vector<std::pair<std::string, std::string>> Levels() {
  std::vector<std::pair<std::string, std::string>> levels;
  MutexLock lock(TheRegistry().mutex);
  spdlog::apply_all([&](const std::shared_ptr<spdlog::logger>& one) {
    levels.emplace_back(one->name(), NameOf(one->level()));
  });
  std::sort(levels.begin(), levels.end());
  // spdlog's own logger without a name, which nobody here writes to.
  std::erase_if(levels, [](const auto& entry) { return entry.first.empty(); });
  return levels;
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
