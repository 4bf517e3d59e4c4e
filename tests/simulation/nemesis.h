#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/cluster.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stage.h"

namespace slipstream::simulation {

// Nemesis: what goes wrong in a simulation. Each seed draws the kinds of fault it has, and how
// often, so that some seeds have one kind in plenty and others a little of everything.
//
// Damage that lasts (flipped bits, a disk that fails or is replaced) befalls one machine of a run
// only: what is to be survived is the loss of any one datanode.
// Ownership  borrows cluster and stage.
class Nemesis final {
 public:
  Nemesis(Cluster& cluster, Stage& stage, std::vector<std::string> client_hosts, Random random);

  // Runs in a fiber until `until`; what it broke it mends then, machines that are down come back by
  // themselves.
  void Start(Micros until);

  // The node whose disks it damages.
  size_t fragile() const { return fragile_; }

  // Of the operators' work nothing is left to do.
  bool has_ended() const { return !is_operator_busy_ && !is_node_out_; }

  // What it does, for the report of a failure.
  std::string Describe();

 private:
  struct Kind {
    std::string name;
    std::function<void()> act;
  };

  void Choose(const std::string& name, void (Nemesis::*act)());
  Micros DownTime();
  Fall SomeFall();
  NodeMachine& SomeNode();
  NodeMachine& FragileNode() { return *cluster_.nodes()[fragile_]; }
  void SpoilDisk(size_t index, uint64_t reads_per_mille, uint64_t writes_per_mille, Micros time);

  void CrashNode();
  void CrashMaster();
  void CutPower();
  void CutLink();
  void SpoilNetwork();
  void FillDisk();
  void SlowLog();
  void SlowReports();
  void JumpClocks();
  void EnterSafeMode();
  void TakeNodeOut();
  void FlipBits();
  void MisdirectWrites();
  void FailDisk();
  void BreakDisk();
  void ReplaceDisk();

  Cluster& cluster_;
  Stage& stage_;
  const std::vector<std::string> client_hosts_;
  Random random_;
  const size_t fragile_;
  Micros pause_max_{0};
  Network::Faults weather_;  // that of the whole run
  bool is_over_ = false;
  bool is_operator_busy_ = false;
  bool is_node_out_ = false;
  std::vector<Kind> kinds_;
};

}  // namespace slipstream::simulation
