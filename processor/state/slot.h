#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/status/status.h"

namespace slipstream::runtime {

// Slot: the name under which one worker is known to Kafka, "<job>-<uuid>": its transactional.id
// and the stem of its group.instance.id. It outlives the process, so that a restarted worker at
// once fences what it left behind and gets its partitions back.
//
// Layout     <state_dir>/<job>.slots/<n>: the uuid and a line end; n counts from 0.
// Ownership  holds an exclusive lock (flock) on its file: two live processes never share a slot.
class Slot final {
 public:
  // The first of the job's slots that no live process holds; a new one if all are held.
  // Errors: kInvalidArgument (a job name that is no file name), kPermissionDenied and the like of
  // the directory, kDataLoss (a file that holds no uuid).
  static Result<std::unique_ptr<Slot>> Take(const std::filesystem::path& state_dir,
                                            const std::string& job);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  const std::string& name() const { return name_; }

 private:
  Slot(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  const int fd_;
  const std::string name_;
};

}  // namespace slipstream::runtime
