#pragma once

#include <string>
#include <vector>

namespace slipstream::sql {

// Golden files: what comes out is compared with what is written in a file; with
// SLIPSTREAM_UPDATE_GOLDEN set the file is written instead, to be read before it is committed.

// A file of cases: SQL, a line "----", what is expected; cases are parted by a line "====".
struct GoldenCase {
  std::string input;
  std::string expected;
};

// Paths are relative to the repository.
std::string ReadSource(const std::string& path);
std::vector<GoldenCase> ReadGoldenCases(const std::string& path);

// Compares case by case; `actual` has as many entries as the file has cases.
void CheckGoldenCases(const std::string& path, const std::vector<std::string>& actual);
void CheckGoldenFile(const std::string& path, const std::string& actual);

}  // namespace slipstream::sql
