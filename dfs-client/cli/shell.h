#pragma once

#include <span>
#include <string>

namespace slipstream::dfs::cli {

// Runs one command line: our own flags, a verb, its flags and operands. Returns the exit code:
//   0    done
//   1    a verb failed for one of its operands
//   2    our own flags are wrong
//   255  there is no such verb, or its flags are wrong (as the HDFS shell)
// 130 comes from the signal handler (local_file.h).
int RunShell(std::span<const std::string> words);

}  // namespace slipstream::dfs::cli
