#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "common/fs/memory_file_system.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/scheduler.h"

namespace slipstream::simulation {

// SimulatedDisk: a disk that outlives the processes that use it: fails, fills up and loses what was
// not synced when it is told to.
class SimulatedDisk final {
 public:
  SimulatedDisk(Random random, Mutation mutation);
  ~SimulatedDisk();

  // What a process sees of it.
  FileSystem& file_system() { return *face_; }

  // Whose disk it is now: when that is dead every operation fails.
  void SetOwner(const Process* owner) { owner_ = owner; }

  // In the middle of the `operations`-th operation from now calls `act`.
  void CountDown(uint64_t operations, std::function<void()> act);
  // So many of a thousand operations fail with an input/output error.
  void SetErrors(uint64_t reads_per_mille, uint64_t writes_per_mille);
  // Whether it ever failed so.
  bool has_failed() const { return has_failed_; }
  // Room for `bytes` more; SIZE_MAX-like values: as much as it likes.
  void SetFree(uint64_t bytes);
  // A power cut; nobody may use the disk.
  void Crash();
  // All files gone: another disk in its place.
  void Replace();

  // Flips one bit of one file whose name ends with `suffix`; returns the file, empty if there is
  // none.
  std::string FlipBit(const std::string& suffix);

  // What was written to a piece of one file went to the same place of another one, both with names
  // that end with `suffix`; returns their names, empty where there are no two.
  std::string MisdirectWrite(const std::string& suffix);

  const MemoryFileSystem& contents() const { return *fs_; }

 private:
  std::vector<std::string> FilesWith(const std::string& suffix) const;
  Status Check(MemoryFileSystem::Operation operation);
  void Mount();

  Random random_;
  const Mutation mutation_;
  const Process* owner_ = nullptr;
  std::unique_ptr<MemoryFileSystem> fs_;
  std::unique_ptr<FileSystem> face_;
  uint64_t operations_left_ = 0;
  std::function<void()> act_;
  uint64_t read_errors_per_mille_ = 0;
  uint64_t write_errors_per_mille_ = 0;
  bool has_failed_ = false;
};

}  // namespace slipstream::simulation
