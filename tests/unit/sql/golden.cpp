#include "tests/unit/sql/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

constexpr const char* kExpected = "----\n";
constexpr const char* kNext = "====\n";

bool IsUpdate() {
  return std::getenv("SLIPSTREAM_UPDATE_GOLDEN") != nullptr;
}

std::string Absolute(const std::string& path) {
  const char* const root = std::getenv("SLIPSTREAM_SOURCE_DIR");
  return root == nullptr ? path : std::string(root) + "/" + path;
}

std::string WithLineEnd(const std::string& text) {
  return text.empty() || text.back() == '\n' ? text : text + "\n";
}

}  // namespace

std::string ReadSource(const std::string& path) {
  std::ifstream file(Absolute(path));
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file) << path;
  return text.str();
}

std::vector<GoldenCase> ReadGoldenCases(const std::string& path) {
  const std::string text = ReadSource(path);
  std::vector<GoldenCase> cases;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(kNext, start), text.size());
    const std::string one = text.substr(start, end - start);
    const size_t middle = one.find(kExpected);
    cases.push_back(
        {one.substr(0, middle), middle == std::string::npos ? "" : one.substr(middle + 5)});
    start = end + 5;
  }
  return cases;
}

void CheckGoldenCases(const std::string& path, const std::vector<std::string>& actual) {
  const std::vector<GoldenCase> cases = ReadGoldenCases(path);
  ASSERT_EQ(cases.size(), actual.size());
  std::string updated;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (!IsUpdate()) {
      EXPECT_EQ(cases[i].expected, WithLineEnd(actual[i])) << path << "\n" << cases[i].input;
    }
    updated += (i > 0 ? kNext : "") + cases[i].input + kExpected + WithLineEnd(actual[i]);
  }
  if (IsUpdate()) std::ofstream(Absolute(path)) << updated;
}

void CheckGoldenFile(const std::string& path, const std::string& actual) {
  if (IsUpdate()) {
    std::ofstream(Absolute(path)) << actual;
    return;
  }
  EXPECT_EQ(ReadSource(path), actual) << path;
}

}  // namespace slipstream::sql
