#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "tests/simulation/network.h"
#include "tests/simulation/path_history.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/tree_model.h"

namespace slipstream::dfs {
class DfsClient;
}

namespace slipstream::simulation {

// Stage: what those who use the file system in a simulation share: time, the network, what may be
// read where, and whom to tell of a violation.
// Ownership  borrows scheduler and network.
class Stage final {
 public:
  Stage(Scheduler& scheduler, Network& network, Random random)
      : scheduler_(scheduler), network_(network), random_(random) {}

  Scheduler& scheduler() { return scheduler_; }
  Network& network() { return network_; }
  Random& random() { return random_; }
  PathHistory& history() { return history_; }
  Micros now() const { return scheduler_.now(); }

  // A client of the file system, as a program on `host` has it; reads are tried for `patience`, the
  // master for `master_patience`.
  static constexpr std::chrono::milliseconds kPatience{30'000};
  static constexpr std::chrono::milliseconds kMasterPatience{20'000};
  std::unique_ptr<dfs::DfsClient> Connect(
      Process& process,
      const std::string& host,
      std::chrono::milliseconds patience = kPatience,
      std::chrono::milliseconds master_patience = kMasterPatience);

  // The first violation ends the simulation.
  void Fail(const std::string& what);
  const std::string& violation() const { return violation_; }

  // Users begin nothing new once it is set.
  void Close() { is_closed_ = true; }
  bool is_closed() const { return is_closed_; }

  // Since when nothing is broken, as far as users can see; Micros::max() while something is.
  void SetCalmSince(Micros since) { calm_since_ = since; }
  Micros calm_since() const { return calm_since_; }

  // The wall clock of the master is another than it was: what goes by it is early or late.
  void NoteMasterClockJump() { has_master_clock_jumped_ = true; }
  bool has_master_clock_jumped() const { return has_master_clock_jumped_; }

  // The most replicas a file may want, so that there are nodes for them.
  void SetReplicationMax(uint32_t replication) { replication_max_ = replication; }
  uint32_t replication_max() const { return replication_max_; }

  // ---- Names that appenders are about to make, and others would like ----

  // `path` will be prepared, as a new file.
  void Want(const std::string& path) {
    if (wanted_.insert(path).second) newest_wanted_ = path;
  }
  // It was: nobody else can have the name any more.
  void Promise(const std::string& path) { promised_.insert(path); }
  // Somebody else tries to have it.
  void Squat(const std::string& path) { squatted_.insert(path); }
  const std::set<std::string>& wanted() const { return wanted_; }
  const std::string& newest_wanted() const { return newest_wanted_; }  // empty: none
  bool IsPromised(const std::string& path) const { return promised_.contains(path); }
  bool IsSquatted(const std::string& path) const { return squatted_.contains(path); }

  // ---- Safe mode by hand ----

  enum class Freeze {
    kNone,
    kPerhaps,  // it is being entered or left
    kSurely,   // nothing changes
  };
  void SetFreeze(Freeze freeze) {
    freeze_ = freeze;
    freeze_changed_at_ = now();
  }
  bool HasBeenFrozenSince(Micros since) const {
    return freeze_ == Freeze::kSurely && freeze_changed_at_ <= since;
  }
  bool MayHaveBeenFrozenSince(Micros since) const {
    return freeze_ != Freeze::kNone || freeze_changed_at_ >= since;
  }

  // Bytes that were never used before: short mostly, of any kind.
  std::string NewContent();

  // Operations that ended as they should, for the report of a run.
  void Count() { ++operations_; }
  uint64_t operations() const { return operations_; }

 private:
  Scheduler& scheduler_;
  Network& network_;
  Random random_;
  PathHistory history_;
  std::string violation_;
  bool is_closed_ = false;
  Micros calm_since_ = Micros::max();
  uint32_t replication_max_ = 2;
  bool has_master_clock_jumped_ = false;
  std::set<std::string> wanted_;
  std::string newest_wanted_;
  std::set<std::string> promised_;
  std::set<std::string> squatted_;
  Freeze freeze_ = Freeze::kNone;
  Micros freeze_changed_at_{-1};
  uint64_t contents_ = 0;
  uint64_t operations_ = 0;
};

// Whether after such an error an operation may have been carried out, or may yet be, or could not
// be carried out because something was broken.
bool IsUncertain(Code code);

}  // namespace slipstream::simulation
