#include "producer/app/local_time.h"

#include <ctime>

namespace slipstream::producer {

std::chrono::local_time<std::chrono::milliseconds> LocalTime(WallTime time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  std::time_t unix_time = seconds.time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&unix_time, &local);
  std::chrono::seconds offset(local.tm_gmtoff);
  return std::chrono::local_time<std::chrono::milliseconds>(time.time_since_epoch() + offset);
}

}  // namespace slipstream::producer
