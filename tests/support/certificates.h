#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// Certificates: an authority and what it signed, made by `slipstream certs` in a folder of its own.
// Threads  not thread-safe.
class Certificates final {
 public:
  // Nothing is made yet; `folder` is made when it is missing.
  explicit Certificates(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // `slipstream certs ARGS…` there: {"lab1=10.0.0.1"}, {"--role", "read", "ann"}, {"--renew", "a"}.
  Status Make(const std::vector<std::string>& args) const;
  // For --tls-dir.
  std::string DirOf(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace slipstream::test_support
