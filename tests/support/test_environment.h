#pragma once

#include <cstdint>
#include <filesystem>

// What a test is told from outside: slipstream_test() sets the variables for ctest.

namespace slipstream::test_support {

// Where the binaries under test are: SLIPSTREAM_BIN_DIR. Ends the test binary if it is not set.
std::filesystem::path BinDir();

// The repository: SLIPSTREAM_SOURCE_DIR. Ends the test binary if it is not set.
std::filesystem::path SourceDir();

// The folder of real datasets (flights.csv.zst, weather.csv.zst …), SLIPSTREAM_DATASETS; empty
// where there is none, and the tests that need it are skipped.
std::filesystem::path DatasetsDir();

// A TCP port of 127.0.0.1 that nothing listens on, for a process that is to keep its port over
// restarts (others listen on port 0). It lies below the kernel's ephemeral range, so that no
// outgoing connection takes it while its process is down.
uint16_t FreePort();

}  // namespace slipstream::test_support
