#include "processor/app/exit_code.h"

#include <cstdio>

#include "common/daemon/flags.h"

namespace slipstream::processor {

int ExitCodeOf(const Status& status) {
  if (status.ok()) return daemon::kExitDone;
  if (status.code() == Code::kCancelled) return daemon::kExitInterrupted;
  std::fprintf(stderr, "processor: %s\n", status.message().c_str());
  return daemon::kExitFailed;
}

}  // namespace slipstream::processor
