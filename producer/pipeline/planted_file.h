#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/status/status.h"
#include "producer/pipeline/record.h"

namespace slipstream::producer {

// PlantedFile: what was planted into the messages sent, as CSV: the truth that an evaluation
// compares a job's findings with. The columns, named in the first line:
//
//   id          of the record, as in the acks file
//   kind        anomaly, late or corrupt
//   event_time  2024-05-12 02:11:37.250, on the clocks of the messages (where they send
//               milliseconds since 1970: UTC)
//   key         the message's: for sensors the device
//
// Lines are in the order of sending. Devices report at most once a millisecond, so key and
// event_time tell which message it was.
// Threads: one user at a time. Errors are those of the file system, and final.
class PlantedFile final {
 public:
  // Replaces what is there.
  static Result<std::unique_ptr<PlantedFile>> Create(const std::filesystem::path& path);
  ~PlantedFile();
  PlantedFile(const PlantedFile&) = delete;
  PlantedFile& operator=(const PlantedFile&) = delete;

  // Notes the record if anything was planted into it; it is in the file after Write(), or when
  // enough of them have come together.
  Status Add(const Record& record);
  Status Write();

 private:
  PlantedFile(int fd, std::string path);

  const int fd_;
  const std::string path_;
  std::string lines_;
};

}  // namespace slipstream::producer
