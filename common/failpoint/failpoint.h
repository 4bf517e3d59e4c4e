#pragma once

#include <atomic>
#include <string_view>

#include "common/status/status.h"

// Failpoints: places where a test makes this process fail, die or stall. They are compiled into
// every build and cost one relaxed load while none is set.
//
// Set by the environment variable SLIPSTREAM_FAILPOINTS, read once at first use:
//   NAME=ACTION[@N][;NAME=ACTION[@N]…]
// where ACTION is
//   kill          SIGKILL to this process
//   stop          SIGSTOP to this process (a test sends SIGCONT)
//   delay:MS      sleep that long
//   error:CODE    SLIPSTREAM_FAILPOINT returns that status (CODE as in CodeName); ignored by _HIT
// and N is the hit, counted from 1, at which it acts; without it, at every hit.
// A name is "<library>.<step>", as in "commit.after_prepare"; docs/TESTING.md lists them.

namespace slipstream::failpoint {

// True when any failpoint is set in this process.
bool AnyActive();

// Counts a hit of `name` and does what is set for it; OK unless the action is an error.
Status Hit(std::string_view name);

// Sets failpoints from within a test, replacing all that were set; "" clears them.
Status Configure(std::string_view spec);

}  // namespace slipstream::failpoint

// In a function that returns Status or Result: may return an error from it.
#define SLIPSTREAM_FAILPOINT(name)                           \
  do {                                                       \
    if (::slipstream::failpoint::AnyActive()) [[unlikely]] { \
      RETURN_IF_ERROR(::slipstream::failpoint::Hit(name));   \
    }                                                        \
  } while (false)

// Anywhere: may kill, stop or delay.
#define SLIPSTREAM_FAILPOINT_HIT(name)                       \
  do {                                                       \
    if (::slipstream::failpoint::AnyActive()) [[unlikely]] { \
      (void)::slipstream::failpoint::Hit(name);              \
    }                                                        \
  } while (false)
