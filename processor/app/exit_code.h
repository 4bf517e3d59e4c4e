#pragma once

#include "common/status/status.h"

namespace slipstream::processor {

// The exit code for how a command ended; says on stderr what went wrong.
int ExitCodeOf(const Status& status);

}  // namespace slipstream::processor
