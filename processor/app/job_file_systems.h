#pragma once

#include <chrono>
#include <stop_token>

#include "processor/app/command_line.h"
#include "processor/batch/file_systems.h"

namespace slipstream::processor {

// The file systems that a job names, reached as its flags say; calls and writes are tried for
// `timeout`, and until `stop`.
FileSystems FileSystemsOf(const JobFlags& flags,
                          std::chrono::milliseconds timeout,
                          const std::stop_token& stop);

}  // namespace slipstream::processor
