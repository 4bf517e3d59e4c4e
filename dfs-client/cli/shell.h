#pragma once

#include <span>
#include <string>

namespace slipstream::dfs::cli {

// Runs one command line: our own flags, a verb, its flags and operands. Returns the exit code:
//   0    done
//   1    a verb failed for one of its operands
//   255  there is no such verb, or flags or operands are not as it wants them: the HDFS shell's -1,
//        for our own flags, too
// 130 comes from the signal handler (local_file.h); `fsck` has more (check_verb.cpp).
int RunShell(std::span<const std::string> words);

}  // namespace slipstream::dfs::cli
