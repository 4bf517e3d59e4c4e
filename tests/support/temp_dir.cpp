#include "tests/support/temp_dir.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <system_error>

#include "common/check/check.h"

namespace slipstream::test_support {

TempDir::TempDir(std::string_view name) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / ("slipstream-" + std::string(name) + "-XXXXXX"))
          .string();
  SLIPSTREAM_CHECK(::mkdtemp(pattern.data()) != nullptr, "mkdtemp {}", pattern);
  path_ = pattern;
}

TempDir::~TempDir() {
  if (std::getenv("SLIPSTREAM_KEEP_TEMP") != nullptr) {
    std::cerr << "kept " << path_.string() << '\n';
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace slipstream::test_support
