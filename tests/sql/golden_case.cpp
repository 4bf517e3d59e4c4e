#include "tests/sql/golden_case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace slipstream::sql {

std::string GoldenCase::Text(const std::string& title) const {
  std::string text;
  const auto found = sections.find(title);
  if (found == sections.end()) return text;
  for (const std::string& content : found->second)
    text += content + "\n";
  return text;
}

namespace {

void ReadFile(const std::filesystem::path& path, std::vector<GoldenCase>& cases) {
  constexpr size_t kMark = 4;
  std::ifstream in(path);
  std::vector<std::string>* section = nullptr;
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("=== ")) {
      GoldenCase& added = cases.emplace_back();
      added.file = path.filename().string();
      added.name = line.substr(kMark);
      constexpr std::string_view kUnbounded = " unbounded";
      if (added.name.ends_with(kUnbounded)) {
        added.is_unbounded = true;
        added.name.resize(added.name.size() - kUnbounded.size());
      }
      section = nullptr;
    } else if (line.starts_with("--- ") && !cases.empty()) {
      section = &cases.back().sections[line.substr(kMark)];
    } else if (section != nullptr && !(line.empty() || line.starts_with("#"))) {
      section->push_back(line);
    }
  }
}

}  // namespace

std::vector<GoldenCase> ReadGoldenCases(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<GoldenCase> cases;
  for (const auto& path : paths)
    ReadFile(path, cases);
  return cases;
}

}  // namespace slipstream::sql
