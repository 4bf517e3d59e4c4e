#include "common/rpc/library.h"

#include <absl/synchronization/mutex.h>
#include <grpc/grpc.h>

namespace slipstream::rpc {

void KeepLibrary() {
  [[maybe_unused]] static const bool is_kept = [] {
    // Distributions build Abseil with its assertions, and its mutexes, which gRPC takes dozens of
    // times a call, then look for deadlocks under a lock of the whole process.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc_init();
    return true;
  }();
}

}  // namespace slipstream::rpc
