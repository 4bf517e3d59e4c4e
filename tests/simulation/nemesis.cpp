#include "tests/simulation/nemesis.h"

#include <chrono>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/admin_client.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

Nemesis::Nemesis(Cluster& cluster,
                 Stage& stage,
                 std::vector<std::string> client_hosts,
                 Random random)
    : cluster_(cluster),
      stage_(stage),
      client_hosts_(std::move(client_hosts)),
      random_(random),
      fragile_(random_.Below(cluster.nodes().size())),
      pause_max_(random_.Between(1'000'000, 12'000'000)) {
  Choose("crash_node", &Nemesis::CrashNode);
  Choose("crash_master", &Nemesis::CrashMaster);
  Choose("cut_power", &Nemesis::CutPower);
  Choose("cut_link", &Nemesis::CutLink);
  Choose("spoil_network", &Nemesis::SpoilNetwork);
  Choose("fill_disk", &Nemesis::FillDisk);
  Choose("slow_log", &Nemesis::SlowLog);
  Choose("slow_reports", &Nemesis::SlowReports);
  Choose("jump_clocks", &Nemesis::JumpClocks);
  Choose("enter_safe_mode", &Nemesis::EnterSafeMode);
  Choose("take_node_out", &Nemesis::TakeNodeOut);
  Choose("flip_bits", &Nemesis::FlipBits);
  Choose("misdirect_writes", &Nemesis::MisdirectWrites);
  Choose("fail_disk", &Nemesis::FailDisk);
  Choose("break_disk", &Nemesis::BreakDisk);
  Choose("replace_disk", &Nemesis::ReplaceDisk);
  if (random_.PerMille(400)) weather_.loss_per_mille = random_.Below(20);
  if (random_.PerMille(500)) weather_.duplication_per_mille = random_.Below(60);
  if (random_.PerMille(300)) weather_.delay_max = milliseconds(random_.Between(1, 40));
}

void Nemesis::Choose(const std::string& name, void (Nemesis::*act)()) {
  if (!random_.PerMille(400)) return;
  const auto weight = random_.Between(1, 4);
  for (int64_t i = 0; i < weight; ++i)
    kinds_.push_back({.name = name, .act = [this, act] { (this->*act)(); }});
}

std::string Nemesis::Describe() {
  std::string text = fmt::format("nodes={} disks={} fragile={} loss={} duplication={}",
                                 cluster_.nodes().size(),
                                 FragileNode().disks().size(),
                                 fragile_,
                                 weather_.loss_per_mille,
                                 weather_.duplication_per_mille);
  std::string last;
  for (const Kind& kind : kinds_) {
    if (kind.name != last) text += " " + kind.name;
    last = kind.name;
  }
  return text;
}

void Nemesis::Start(Micros until) {
  stage_.network().SetFaults(weather_);
  stage_.scheduler().Spawn(nullptr, [this, until] {
    while (stage_.now() < until && !stage_.scheduler().is_stopped()) {
      (void)stage_.scheduler().Sleep(Micros(random_.Between(100'000, pause_max_.count())));
      if (stage_.now() < until && !kinds_.empty()) random_.Pick(kinds_).act();
    }
    is_over_ = true;
    cluster_.Mend();
    stage_.scheduler().Note("nothing is broken any more");
  });
}

Micros Nemesis::DownTime() {
  // Long enough, now and then, for the master to give a node up.
  return random_.PerMille(200) ? milliseconds(random_.Between(10'000, 45'000))
                               : milliseconds(random_.Between(200, 8'000));
}

Fall Nemesis::SomeFall() {
  return random_.PerMille(600) ? Fall::kPowerCut : Fall::kProcessKilled;
}

NodeMachine& Nemesis::SomeNode() {
  return *cluster_.nodes()[random_.Below(cluster_.nodes().size())];
}

void Nemesis::CrashNode() {
  NodeMachine& node = SomeNode();
  if (random_.PerMille(300)) {
    node.Crash(SomeFall(), DownTime());
  } else {
    node.CrashAfter(1 + random_.Below(60), SomeFall(), DownTime());
  }
}

void Nemesis::CrashMaster() {
  if (random_.PerMille(300)) {
    cluster_.master().Crash(SomeFall(), DownTime() / 2);
  } else {
    cluster_.master().CrashAfter(1 + random_.Below(20), SomeFall(), DownTime() / 2);
  }
}

void Nemesis::CutPower() {
  const Micros down_time = milliseconds(random_.Between(500, 5'000));
  cluster_.master().Crash(Fall::kPowerCut, down_time);
  for (auto& node : cluster_.nodes())
    node->Crash(Fall::kPowerCut, down_time + milliseconds(random_.Below(2'000)));
}

void Nemesis::CutLink() {
  std::vector<std::string> hosts = client_hosts_;
  hosts.emplace_back(MasterMachine::kHost);
  for (const auto& node : cluster_.nodes())
    hosts.push_back(node->host());
  // One machine is cut off from another, or from everybody.
  const std::string one = random_.Pick(hosts);
  const std::string other = random_.Pick(hosts);
  const bool is_from_all = random_.PerMille(300);
  const uint64_t ways = 1 + random_.Below(3);  // in, out, both
  for (const std::string& host : hosts) {
    if (host == one || (!is_from_all && host != other)) continue;
    if ((ways & 1) != 0) stage_.network().Cut(one, host);
    if ((ways & 2) != 0) stage_.network().Cut(host, one);
  }
  if (random_.PerMille(500)) return;  // others come to it
  stage_.scheduler().After(milliseconds(random_.Between(500, 20'000)),
                           [this] { stage_.network().HealAll(); });
}

void Nemesis::SpoilNetwork() {
  Network::Faults faults = weather_;
  faults.loss_per_mille += random_.Below(150);
  faults.duplication_per_mille += random_.Below(200);
  faults.spike_per_mille = random_.Below(200);
  faults.spike_max = milliseconds(random_.Between(10, 8'000));
  stage_.network().SetFaults(faults);
  stage_.scheduler().Note("the network is spoilt");
  stage_.scheduler().After(milliseconds(random_.Between(1'000, 15'000)), [this] {
    if (is_over_) return;
    stage_.network().HealAll();
    stage_.network().SetFaults(weather_);
  });
}

void Nemesis::FillDisk() {
  NodeMachine& node = SomeNode();
  SimulatedDisk& disk = node.SomeDisk();
  disk.SetFree(random_.Below(20'000));
  stage_.scheduler().Note(node.host() + " has a full disk");
  stage_.scheduler().After(milliseconds(random_.Between(1'000, 25'000)),
                           [&disk] { disk.SetFree(std::numeric_limits<uint64_t>::max()); });
}

void Nemesis::SlowLog() {
  cluster_.master().store().SetSyncTimeMax(milliseconds(random_.Between(1, 400)));
  stage_.scheduler().After(seconds(10),
                           [this] { cluster_.master().store().SetSyncTimeMax(milliseconds(1)); });
}

void Nemesis::SlowReports() {
  cluster_.master().SetReportTimeMax(milliseconds(random_.Between(100, 5'000)));
  stage_.scheduler().After(milliseconds(random_.Between(5'000, 30'000)),
                           [this] { cluster_.master().SetReportTimeMax(Micros(0)); });
}

void Nemesis::JumpClocks() {
  const Micros jump = seconds(random_.Between(-7'200, 7'200));
  if (random_.PerMille(500)) {
    cluster_.master().JumpWall(jump);
    stage_.NoteMasterClockJump();
  } else {
    SomeNode().JumpWall(jump);
  }
  stage_.scheduler().Note("a wall clock jumps");
}

// An operator, whom no network fault keeps from it, lets nothing change for a while.
void Nemesis::EnterSafeMode() {
  if (std::exchange(is_operator_busy_, true)) return;
  stage_.scheduler().Spawn(nullptr, [this, time = milliseconds(random_.Between(500, 15'000))] {
    using Freeze = Stage::Freeze;
    Process process(stage_.scheduler(), "operator", Micros(0));
    const auto client = stage_.Connect(process, "operator");
    stage_.SetFreeze(Freeze::kPerhaps);
    const bool has_entered = dfs::AdminClient(*client).SetSafeMode(true).ok();
    if (has_entered) {
      stage_.SetFreeze(Freeze::kSurely);
      stage_.scheduler().Note("safe mode was entered by hand");
      (void)stage_.scheduler().Sleep(time);
      stage_.SetFreeze(Freeze::kPerhaps);
    }
    // Where it is not known whether safe mode was entered, a copy of that request may come after
    // the one to leave, and be the first to be carried out. Later than kMessageLifeMax none comes.
    for (const Micros pause : {Micros(0), has_entered ? Micros(0) : Network::kMessageLifeMax}) {
      (void)stage_.scheduler().Sleep(pause);
      while (!stage_.scheduler().is_stopped() && !dfs::AdminClient(*client).SetSafeMode(false).ok())
        (void)stage_.scheduler().Sleep(seconds(1));
    }
    (void)stage_.scheduler().Sleep(Network::kMessageLifeMax);
    stage_.SetFreeze(Freeze::kNone);
    stage_.scheduler().Note("safe mode was left by hand");
    is_operator_busy_ = false;
  });
}

// Another one has a node's blocks brought elsewhere, or leaves it alone for a while, and takes it
// back. Whatever he is told, a copy of a request that was answered changes nothing any more.
void Nemesis::TakeNodeOut() {
  if (std::exchange(is_node_out_, true)) return;
  const auto service =
      random_.PerMille(500) ? dfs::NodeService::kDecommissioning : dfs::NodeService::kMaintenance;
  const auto time = milliseconds(random_.Between(1'000, 30'000));
  stage_.scheduler().Spawn(nullptr, [this, service, time, address = SomeNode().address()] {
    Process process(stage_.scheduler(), "keeper", Micros(0));
    const auto client = stage_.Connect(process, "keeper");
    dfs::AdminClient admin(*client);
    // By its id: who comes back from an empty disk is another.
    std::string node_id;
    if (auto state = client->GetClusterState(); state.ok()) {
      for (const dfs::NodeReport& node : state->nodes) {
        if (node.node.address == address) node_id = node.node.node_id;
      }
    }
    auto serve = [&](dfs::NodeService wanted) {
      const Status status = admin.SetNodeService(node_id, wanted);
      stage_.scheduler().Note(
          fmt::format("{} {}: {}",
                      address,
                      wanted == dfs::NodeService::kInService ? "is taken back" : "is taken out",
                      status.ToString()));
      return status.ok();
    };
    if (!node_id.empty()) {
      const bool is_out = serve(service);
      (void)stage_.scheduler().Sleep(time);
      // As with safe mode.
      for (const Micros pause : {Micros(0), is_out ? Micros(0) : Network::kMessageLifeMax}) {
        (void)stage_.scheduler().Sleep(pause);
        while (!stage_.scheduler().is_stopped() && !serve(dfs::NodeService::kInService))
          (void)stage_.scheduler().Sleep(seconds(1));
      }
    }
    is_node_out_ = false;
  });
}

void Nemesis::FlipBits() {
  static const std::vector<std::string> kSuffixes = {".zst", ".zst", ".meta"};
  const auto count = random_.Between(1, 4);
  for (int64_t i = 0; i < count; ++i) {
    const std::string path = FragileNode().SomeDisk().FlipBit(random_.Pick(kSuffixes));
    if (!path.empty()) {
      stage_.scheduler().Note(
          fmt::format("{} has a flipped bit in {}", FragileNode().host(), path));
    }
  }
}

void Nemesis::MisdirectWrites() {
  const auto count = random_.Between(1, 3);
  for (int64_t i = 0; i < count; ++i) {
    const std::string files = FragileNode().SomeDisk().MisdirectWrite(".zst");
    if (files.empty()) continue;
    stage_.scheduler().Note(
        fmt::format("{} has a misdirected write in {}", FragileNode().host(), files));
  }
}

void Nemesis::FailDisk() {
  const bool fails_reads = random_.PerMille(600);
  const uint64_t share = random_.PerMille(300) ? 1'000 : random_.Below(400);
  SpoilDisk(random_.Below(FragileNode().disks().size()),
            fails_reads ? share : 0,
            random_.PerMille(600) ? share : 0,
            milliseconds(random_.Between(1'000, 60'000)));
}

// For so long that the node gives it up; while it lasts the node comes back without it.
void Nemesis::BreakDisk() {
  SpoilDisk(random_.Below(FragileNode().disks().size()), 1'000, 1'000, seconds(600));
  if (random_.PerMille(500)) CrashNode();
}

void Nemesis::SpoilDisk(size_t index,
                        uint64_t reads_per_mille,
                        uint64_t writes_per_mille,
                        Micros time) {
  SimulatedDisk& disk = *FragileNode().disks()[index];
  disk.SetErrors(reads_per_mille, writes_per_mille);
  stage_.scheduler().Note(fmt::format("{} has a failing disk {}", FragileNode().host(), index));
  stage_.scheduler().After(time, [&disk] { disk.SetErrors(0, 0); });
}

void Nemesis::ReplaceDisk() {
  const Micros down_time = milliseconds(random_.Between(500, 30'000));
  FragileNode().ReplaceDisk(random_.Below(FragileNode().disks().size()), down_time);
}

}  // namespace slipstream::simulation
