#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/status/status.h"

namespace slipstream::producer {

// AcksFile: the ids of acknowledged records, one a line, in the order of their acknowledgements.
// Threads: one user at a time. Errors are kept and returned by the next Write().
class AcksFile final {
 public:
  // Replaces what is there.
  static Result<std::unique_ptr<AcksFile>> Create(const std::filesystem::path& path);
  ~AcksFile();
  AcksFile(const AcksFile&) = delete;
  AcksFile& operator=(const AcksFile&) = delete;

  // Notes the id; it is in the file after Write(), or when enough of them have come together.
  void Add(int64_t id);
  Status Write();

 private:
  AcksFile(int fd, std::string path);

  const int fd_;
  const std::string path_;
  std::string lines_;
  Status error_;
};

}  // namespace slipstream::producer
