#pragma once

#include <string_view>

#include "common/status/status.h"

namespace slipstream::daemon {

// Tells the service manager that started this process how it is, by the protocol of systemd's
// Type=notify: assignments, one a line, as one datagram to the socket that $NOTIFY_SOCKET names.
//   "READY=1"     it serves;   "STOPPING=1"  it drains;   "STATUS=…"  words for people
// OK, and nothing happens, where no manager waits for it.
// Errors: kInvalidArgument (no such address), kUnavailable (nobody listens).
Status TellServiceManager(std::string_view assignments);

}  // namespace slipstream::daemon
