#include "common/failpoint/failpoint.h"

#include <signal.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "common/sync/mutex.h"

namespace slipstream::failpoint {
namespace {

enum class Action { kKill, kStop, kDelay, kError };

struct Point {
  Action action = Action::kError;
  int delay_ms = 0;
  Code code = Code::kUnavailable;
  int at_hit = 0;  // 0: every hit
  int hits = 0;
};

Result<Code> ParseCode(std::string_view name) {
  for (int number = 1; number <= static_cast<int>(Code::kUnauthenticated); ++number) {
    if (Code code = static_cast<Code>(number); CodeName(code) == name) return code;
  }
  return InvalidArgument("unknown code=" + std::string(name));
}

Result<int> ParseInt(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return InvalidArgument("not a number: " + std::string(text));
  }
  return value;
}

Result<Point> ParsePoint(std::string_view text) {
  Point point;
  if (size_t at = text.find('@'); at != std::string_view::npos) {
    ASSIGN_OR_RETURN(point.at_hit, ParseInt(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  if (text == "kill") {
    point.action = Action::kKill;
  } else if (text == "stop") {
    point.action = Action::kStop;
  } else if (text.starts_with("delay:")) {
    point.action = Action::kDelay;
    ASSIGN_OR_RETURN(point.delay_ms, ParseInt(text.substr(6)));
  } else if (text.starts_with("error:")) {
    ASSIGN_OR_RETURN(point.code, ParseCode(text.substr(6)));
  } else {
    return InvalidArgument("unknown failpoint action: " + std::string(text));
  }
  return point;
}

class Registry {
 public:
  Registry() {
    const char* spec = std::getenv("SLIPSTREAM_FAILPOINTS");
    if (spec == nullptr) return;
    if (Status status = Configure(spec); !status.ok()) {
      std::fprintf(stderr, "SLIPSTREAM_FAILPOINTS: %s\n", status.message().c_str());
      std::_Exit(2);
    }
  }

  Status Configure(std::string_view spec) {
    std::map<std::string, Point, std::less<>> points;
    while (!spec.empty()) {
      std::string_view item = spec.substr(0, spec.find(';'));
      spec.remove_prefix(std::min(spec.size(), item.size() + 1));
      if (item.empty()) continue;
      size_t equals = item.find('=');
      if (equals == std::string_view::npos) {
        return InvalidArgument("failpoint without action: " + std::string(item));
      }
      ASSIGN_OR_RETURN(Point point, ParsePoint(item.substr(equals + 1)));
      points.insert_or_assign(std::string(item.substr(0, equals)), point);
    }
    MutexLock lock(mutex_);
    points_ = std::move(points);
    any_active_.store(!points_.empty(), std::memory_order_relaxed);
    return {};
  }

  Status Hit(std::string_view name) {
    Point point;
    {
      MutexLock lock(mutex_);
      auto it = points_.find(name);
      if (it == points_.end()) return {};
      ++it->second.hits;
      if (it->second.at_hit != 0 && it->second.hits != it->second.at_hit) return {};
      point = it->second;
    }
    std::fprintf(stderr, "failpoint %.*s hit\n", static_cast<int>(name.size()), name.data());
    switch (point.action) {
      case Action::kKill:
        raise(SIGKILL);
        break;
      case Action::kStop:
        raise(SIGSTOP);
        break;
      case Action::kDelay:
        std::this_thread::sleep_for(std::chrono::milliseconds(point.delay_ms));
        break;
      case Action::kError:
        return {point.code, "failpoint " + std::string(name)};
    }
    return {};
  }

  bool any_active() const { return any_active_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> any_active_{false};
  Mutex mutex_;
  std::map<std::string, Point, std::less<>> points_ GUARDED_BY(mutex_);
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

}  // namespace

bool AnyActive() {
  return TheRegistry().any_active();
}
Status Hit(std::string_view name) {
  return TheRegistry().Hit(name);
}
Status Configure(std::string_view spec) {
  return TheRegistry().Configure(spec);
}

}  // namespace slipstream::failpoint
