#pragma once

#include <stop_token>

#include "processor/app/command_line.h"

namespace slipstream::processor {

// `processor run`: a job file. Streaming jobs end with their bounded input or with `stop`; a batch
// job with its last file. Returns the exit code.
// Blocking  until the job has ended.
int Run(const RunFlags& flags, const std::stop_token& stop);

// `processor query`: one SELECT, printed to stdout. Returns the exit code.
int Query(const QueryFlags& flags, const std::stop_token& stop);

// `processor sql`: statements from the command line, a file, a pipe or a prompt, each run before
// the next is looked at. SIGINT stops the statement that runs. Not from a prompt, the first error
// ends it. Returns the exit code. Threads   takes the process's SIGINT, SIGTERM and SIGHUP: call it
// before there are other threads. Blocking  until the last statement.
int Sql(const SqlFlags& flags);

// `processor check`: job files, as far as can be known without a broker or a file system: one line
// for each that could run, on stdout, and what is wrong with the others. Returns the exit code.
int Check(const CheckFlags& flags);

// `processor savepoint`: what a streaming job has committed, saved to a file whose path is printed.
// Returns the exit code.
// Blocking  as long as reading takes.
int Savepoint(const SavepointFlags& flags, const std::stop_token& stop);

}  // namespace slipstream::processor
