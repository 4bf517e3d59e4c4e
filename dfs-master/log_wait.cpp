#include "dfs-master/log_wait.h"

#include "common/check/check.h"

namespace slipstream::dfs::master {
namespace {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a thread has one at most
thread_local LogWait* current_wait = nullptr;

}  // namespace

LogWait::LogWait() {
  SLIPSTREAM_CHECK(current_wait == nullptr, "waits do not nest");
  current_wait = this;
}

LogWait::~LogWait() {
  current_wait = nullptr;
}

LogWait* LogWait::Current() {
  return current_wait;
}

}  // namespace slipstream::dfs::master
