#include "tests/simulation/cluster.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "tests/simulation/trash_user.h"

namespace slipstream::simulation {
namespace {

using std::chrono::milliseconds;

constexpr Micros kOperatorPause{1'000'000};

MasterMachine::Options MasterOptions(const Cluster::Options& options) {
  MasterMachine::Options machine{.mutation = options.mutation};
  machine.master.replication = options.replication;
  machine.master.ledger.grace = milliseconds(60'000);
  machine.master.nodes = {.stale_after = milliseconds(5'000), .dead_after = milliseconds(12'000)};
  machine.master.repair.command_timeout = milliseconds(15'000);
  machine.master.trash_interval = TrashUser::kInterval;
  machine.master.safe_mode_max = milliseconds(15'000);
  // So often that nothing is left to merge when all has been quiet for a while.
  machine.master.merge_finder = {.pass_interval = milliseconds(20'000),
                                 .rest = milliseconds(10'000)};
  // The cache would know what the store forgets.
  if (options.mutation == Mutation::kForgetReservation) machine.master.cache_bytes = 0;
  return machine;
}

NodeMachine::Options NodeOptions(const Cluster::Options& options, size_t index) {
  NodeMachine::Options machine{
      .host = fmt::format("node{}", index), .disks = options.disks, .mutation = options.mutation};
  datanode::Node::Options& node = machine.node;
  node.reserve_bytes = 1;
  // So that both kinds of block, and several packs, occur with little data.
  node.packed_stored_bytes_max = 8 << 10;
  node.pack_bytes_max = 48 << 10;
  node.park_time = milliseconds(20'000);
  node.session.master = MasterMachine::kAddress;
  node.session.report_interval = options.report_interval;
  node.scrubber.bytes_per_second = 4 << 20;
  node.scrubber.pass_interval = options.mutation == Mutation::kNeverScrub
                                    ? std::chrono::hours(24'000)
                                    : std::chrono::seconds(20);
  return machine;
}

}  // namespace

Cluster::Cluster(const Options& options, Scheduler& scheduler, Network& network, Random random)
    : options_(options), network_(network) {
  master_ =
      std::make_unique<MasterMachine>(MasterOptions(options), scheduler, network, random.Fork());
  for (size_t i = 0; i < options.nodes; ++i) {
    nodes_.push_back(
        std::make_unique<NodeMachine>(NodeOptions(options, i), scheduler, network, random.Fork()));
  }
}

void Cluster::Start() {
  master_->Start();
  for (auto& node : nodes_)
    node->Start();
}

void Cluster::Stop() {
  for (auto& node : nodes_)
    node->Crash(Fall::kProcessKilled, Micros(0));
  master_->Crash(Fall::kProcessKilled, Micros(0));
}

void Cluster::Mend() {
  network_.HealAll();
  network_.SetFaults({});
  master_->store().CountDown(0, {});
  master_->SetReportTimeMax(Micros(0));
  for (auto& node : nodes_) {
    for (auto& disk : node->disks()) {
      disk->CountDown(0, {});
      disk->SetErrors(0, 0);
      disk->SetFree(std::numeric_limits<uint64_t>::max());
    }
    // A disk taken out of service comes back with a restart, which also tidies up what could not be
    // removed while it failed.
    if (node->HasFailedDisk()) node->Crash(Fall::kProcessKilled, kOperatorPause);
  }
}

bool Cluster::is_up() const {
  return master_->is_up() &&
         std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->is_up(); });
}

Status Cluster::failure() const {
  RETURN_IF_ERROR(master_->failure());
  for (const auto& node : nodes_)
    RETURN_IF_ERROR(node->failure());
  return {};
}

}  // namespace slipstream::simulation
