#include "tests/simulation/auditor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"
#include "dfs-master/codec.h"
#include "dfs-master/records.h"
#include "tests/simulation/tree_keeper.h"

namespace slipstream::simulation {

using dfs::master::FileBlock;
using dfs::master::FileBlockKey;
using dfs::master::Table;

namespace {

constexpr const char* kHost = "auditor";
constexpr Micros kPauseMax{4'000'000};
// A call whose answer is lost takes ten seconds of it: twice in a row is rare, four times does not
// happen.
constexpr std::chrono::milliseconds kPatience{45'000};
// All must have been in order for so long before: a node whose call was lost finds out by then, and
// its master knows again what it has.
constexpr Micros kRecovery{15'000'000};

}  // namespace

Auditor::Auditor(Cluster& cluster, Stage& stage, size_t fragile, Random random)
    : cluster_(cluster),
      stage_(stage),
      fragile_(fragile),
      random_(random),
      process_(stage.scheduler(), kHost, Micros(0)),
      client_(stage.Connect(process_, kHost, kPatience, kPatience)) {}

Auditor::~Auditor() = default;

void Auditor::Start() {
  stage_.scheduler().Spawn(&process_, [this] {
    while (!stage_.is_closed()) {
      Audit();
      (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kPauseMax.count())));
    }
    has_ended_ = true;
  });
}

void Auditor::Audit() {
  const auto& paths = stage_.history().paths();
  if (paths.empty()) return;
  const std::string path = random_.Pick(paths);
  const Replicas replicas = CountReplicas();
  const Micros began = stage_.now();
  auto reader = client_->OpenFile(path);
  const Result<std::string> content = reader.ok() ? ReadAll(**reader) : reader.status();
  stage_.scheduler().Note(fmt::format("audit of {}: {}", path, content.status().ToString()));
  if (content.ok() || !IsUnchanged(path, began)) return;
  const Micros since = began - kRecovery;
  const bool is_master_steady = cluster_.master().is_up() &&
                                cluster_.master().changed_at() < since &&
                                stage_.network().HasBeenFair(since);
  if (!is_master_steady) return;
  if (reader.ok() && !MustBeReadable((*reader)->status().inode_id, replicas, since)) return;
  stage_.Fail(
      fmt::format("{} cannot be read, though each of its blocks is on a node that works: {}",
                  path,
                  content.status().ToString()));
}

Auditor::Replicas Auditor::CountReplicas() const {
  Replicas replicas;
  for (size_t i = 0; i < cluster_.nodes().size(); ++i) {
    NodeMachine& machine = *cluster_.nodes()[i];
    if (i == fragile_ || !machine.is_up()) continue;
    for (const block::Identity& replica : machine.node()->store().List().replicas)
      replicas[machine.host()].insert(replica.block_id);
  }
  return replicas;
}

bool Auditor::MustBeReadable(uint64_t inode_id, const Replicas& replicas, Micros since) const {
  bool is_readable = true;
  const Replicas now = CountReplicas();
  auto has_holder = [&](uint64_t block_id) {
    return std::any_of(replicas.begin(), replicas.end(), [&](const auto& entry) {
      if (!entry.second.contains(block_id)) return false;
      const auto still = now.find(entry.first);
      if (still == now.end() || !still->second.contains(block_id)) return false;
      return std::any_of(cluster_.nodes().begin(), cluster_.nodes().end(), [&](auto& machine) {
        return machine->host() == entry.first && IsSteady(*machine, since);
      });
    });
  };
  const Status scanned = cluster_.master().store().contents().Scan(
      Table::kFileBlocks,
      FileBlockKey(inode_id, 0),
      FileBlockKey(inode_id + 1, 0),
      [&](std::string_view, std::string_view value) {
        FileBlock entry;
        is_readable = Decode(value, entry).ok() && has_holder(entry.block.id);
        return is_readable;
      });
  return scanned.ok() && is_readable;
}

bool Auditor::IsSteady(NodeMachine& machine, Micros since) const {
  return machine.is_up() && machine.changed_at() < since &&
         stage_.network().HasBeenReachable(machine.host(), MasterMachine::kHost, since);
}

bool Auditor::IsUnchanged(const std::string& path, Micros since) const {
  size_t versions = 0;
  bool has_content = true;
  (void)stage_.history().Allows(path, since, stage_.now(), [&](const Content& held) {
    ++versions;
    has_content = has_content && held != nullptr;
    return false;  // all of them
  });
  return versions == 1 && has_content;
}

}  // namespace slipstream::simulation
