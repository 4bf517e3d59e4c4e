#pragma once

#include <filesystem>
#include <string_view>

namespace slipstream::test_support {

// TempDir: a new, empty folder, removed with all that is in it at destruction. Declare it before
// the processes that write into it, so that they are gone first.
// With SLIPSTREAM_KEEP_TEMP in the environment it stays, and its path is printed.
class TempDir {
 public:
  // `name` is part of the folder's name, for whoever looks into /tmp.
  explicit TempDir(std::string_view name = "test");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipstream::test_support
