// What operators ask of Master: the service of nodes, balance, and the health of files.

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"
#include "dfs-master/request_content.h"

namespace slipstream::dfs::master {
namespace {

const char* NameOf(NodeService service) {
  switch (service) {
    case NodeService::kInService:
      return "in_service";
    case NodeService::kDecommissioning:
      return "decommissioning";
    case NodeService::kDecommissioned:
      return "decommissioned";
    case NodeService::kMaintenance:
      return "maintenance";
  }
  return "unknown";
}

}  // namespace

// ---- Safe mode ----

Status Master::SetSafeMode(bool enter, std::string_view request_id) {
  OnceRequest once{.operation = "safemode", .request_id = request_id, .check = nullptr};
  once.content = RequestContent("safemode").Add(uint64_t{enter}).Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
                       -> Result<std::string> {
                     if (enter == state.is_safe_by_hand) return std::string();
                     if (enter) {
                       txn.Put(Table::kMeta, kMetaSafeMode, "1");
                     } else {
                       txn.Delete(Table::kMeta, kMetaSafeMode);
                       // Who was told to wait is not to blame for it.
                       state.leases.TouchAll(now);
                     }
                     state.is_safe_by_hand = enter;
                     log_->warn("safe_mode_set by_hand={}", enter);
                     return std::string();
                   })
      .status();
}

Status Master::State::CheckNamesMayChange() const {
  if (is_disk_low) {
    return FailedPrecondition(
        "Name node is in safe mode. Resources are low: the disk of its metadata is nearly full, "
        "and "
        "nothing is changed until there is room");
  }
  if (!is_safe_by_hand) return {};
  return FailedPrecondition(
      "Name node is in safe mode, entered by hand: nothing is changed until `dfs safemode leave`");
}

Status Master::State::CheckMayWrite() const {
  if (is_disk_low) return Unavailable("the disk of the master's metadata is nearly full");
  if (!is_safe_by_hand) return {};
  return Unavailable(
      "safe mode was entered by hand: nothing is written until `dfs safemode leave`");
}

// ---- The service of nodes ----

Status Master::SetNodeService(std::string_view name,
                              NodeService service,
                              int64_t until_ms,
                              std::string_view request_id) {
  if (service == NodeService::kDecommissioned) {
    return InvalidArgument(
        "a node is decommissioned when its blocks are elsewhere: ask for it to "
        "be decommissioning");
  }
  if (until_ms != 0 && service != NodeService::kMaintenance) {
    return InvalidArgument("only maintenance has an end");
  }
  // Nothing of it changes a name: safe mode does not refuse it.
  OnceRequest once{.operation = "service", .request_id = request_id, .check = nullptr};
  once.content = RequestContent("service")
                     .Add(name)
                     .Add(static_cast<uint64_t>(service))
                     .Add(static_cast<uint64_t>(until_ms))
                     .Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
                       -> Result<std::string> {
                     ASSIGN_OR_RETURN(Node * node, state.nodes.FindByName(name));
                     if (until_ms != 0 && until_ms <= now.wall_ms()) {
                       return InvalidArgument("the end of the maintenance is past");
                     }
                     // What is done need not be done again.
                     const bool is_done =
                         service == NodeService::kDecommissioning && node->is_leaving();
                     if (!is_done) ChangeService(state, txn, *node, service, until_ms, now);
                     return std::string();
                   })
      .status();
}

void Master::ChangeService(State& state,
                           Transaction& txn,
                           Node& node,
                           NodeService service,
                           int64_t until_ms,
                           const Now& now) {
  NodeTable::SetService(txn, node, service, until_ms, now);
  state.blocks.SetPresence(node.number, node.presence());
  log_->info("node_service_set node={} service={} until_ms={}",
             log::Quoted(node.registration.node_id),
             NameOf(service),
             until_ms);
}

// More replicas than there are nodes left are not waited for, but as many as a write needs are.
uint32_t Master::EnoughReplicas(const State& state) const {
  return std::max(options_.min_replicas, static_cast<uint32_t>(state.nodes.serving_count()));
}

// Whether a node that leaves is needed no more: every block it has is on enough others, and nobody
// is writing there. Writers that were sent there just before it was to leave have a while to turn
// up; what they have written and not prepared is known as a stray with a pending id.
bool Master::IsVacated(const State& state, const Node& node, const Now& now) const {
  // Those that have not followed are not counted yet.
  if (!node.has_reported || !state.blocks.HasFollowed(node.number) ||
      state.blocks.BlocksToMove(node.number, EnoughReplicas(state)) > 0) {
    return false;
  }
  if (!node.is_there()) return true;
  if (now.steady - node.service_since < options_.nodes.stale_after || node.load.active_writes > 0) {
    return false;
  }
  const auto& strays = state.blocks.strays();
  return std::none_of(strays.begin(), strays.end(), [&](const auto& entry) {
    const auto& [id, holders] = entry;
    const bool is_pending = state.ledger.IsAllocated(id) && !state.ledger.IsCollected(id);
    return is_pending && std::any_of(holders.begin(), holders.end(), [&](const auto& stray) {
             return stray.node == node.number;
           });
  });
}

Status Master::ServiceStep() {
  return Write(
      "service", [&](State& state, Transaction& txn, BlockChanges&, const Now& now) -> Status {
        for (NodeNumber number : state.nodes.Rested(now)) {
          ChangeService(state, txn, *state.nodes.Find(number), NodeService::kInService, 0, now);
        }
        // What nodes have not reported yet is not known to be elsewhere.
        if (!MayRepair(state, now)) return {};
        for (const auto& [number, known] : state.nodes.nodes()) {
          Node& node = *state.nodes.Find(number);
          if (node.service == NodeService::kDecommissioning && IsVacated(state, node, now)) {
            ChangeService(state, txn, node, NodeService::kDecommissioned, 0, now);
          } else if (node.service == NodeService::kDecommissioned && node.is_there() &&
                     state.blocks.BlocksToMove(number, EnoughReplicas(state)) > 0) {
            // A late writer, or another node's loss: it is needed after all.
            ChangeService(state, txn, node, NodeService::kDecommissioning, 0, now);
          }
        }
        return {};
      });
}

// ---- Balance ----

Status Master::StartBalance(double threshold_percent) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(state_.fatal);
  RETURN_IF_ERROR(state_.balancer.Start(threshold_percent));
  log_->info("balance_started threshold_percent={}", threshold_percent);
  return {};
}

Status Master::StopBalance() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(state_.fatal);
  state_.balancer.Stop();
  return {};
}

Result<BalanceStatus> Master::GetBalance() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(state_.fatal);
  return state_.balancer.GetStatus(ReadClock());
}

// ---- Files ----

Result<CheckPage> Master::CheckFiles(const CheckRequest& request, const Caller& caller) {
  return Read([&](State& state, const Transaction& txn) -> Result<CheckPage> {
    RETURN_IF_ERROR(state.CheckLoaded());
    RETURN_IF_ERROR(state.permissions.CheckList(txn, caller, request.path));
    return FileChecker(state.tree, state.blocks, state.locator).Check(txn, caller, request);
  });
}

}  // namespace slipstream::dfs::master
