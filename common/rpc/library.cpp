#include "common/rpc/library.h"

#include <algorithm>

#include <absl/synchronization/mutex.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <malloc.h>
#include <spdlog/logger.h>

#include "common/log/log.h"

namespace slipstream::rpc {
namespace {

// gRPC writes to stderr on its own; what matters of it comes back as a status.
void LogQuietly(gpr_log_func_args* line) {
  log::Get("grpc")->debug("grpc_said text={}", log::Quoted(line->message));
}

}  // namespace

void KeepLibrary() {
  [[maybe_unused]] static const bool is_kept = [] {
    // Distributions build Abseil with its assertions, and its mutexes, which gRPC takes dozens of
    // times a call, then look for deadlocks under a lock of the whole process.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    gpr_set_log_function(LogQuietly);
    grpc_init();
    return true;
  }();
}

void KeepMessageMemory(size_t bytes) {
  // The allocator takes no larger threshold than this for what it maps and unmaps one by one.
  constexpr size_t kMappedBytesMax = size_t{32} << 20;
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::min(bytes, kMappedBytesMax)));
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(bytes));
}

}  // namespace slipstream::rpc
