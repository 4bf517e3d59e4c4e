#include "dfs-master/node_table.h"

#include <limits>

#include "common/log/log.h"
#include "common/net/host_port.h"
#include "dfs-master/codec.h"
#include "dfs-master/path.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kTextBytesMax = 255;

Status CheckRegistration(const NodeRegistration& registration) {
  for (const std::string* text :
       {&registration.node_id, &registration.failure_domain, &registration.admin_address}) {
    if (text->size() > kTextBytesMax || !IsPrintableUtf8(*text)) {
      return InvalidArgument("register: text too long, or not UTF-8");
    }
  }
  if (registration.node_id.empty() || registration.node_id.size() > 64) {
    return InvalidArgument("register: a node id has 1 to 64 bytes");
  }
  return {};
}

}  // namespace

NodeTable::NodeTable(const Options& options)
    : options_(options), numbers_("node_number_end", 1, 0) {}

Status NodeTable::Load(const KeyValueStore& store) {
  RETURN_IF_ERROR(numbers_.Load(store));
  Status damage;
  RETURN_IF_ERROR(
      store.Scan(Table::kNodes, "", "", [&](std::string_view key, std::string_view value) {
        auto number = static_cast<NodeNumber>(ReadBigEndian(value));
        if (number == 0) {
          damage = DataLoss("nodes: record without a number");
          return false;
        }
        number_by_id_.emplace(key, number);
        Node& node = nodes_[number];
        node.number = number;
        node.registration.node_id = key;
        return true;
      }));
  return damage;
}

Result<NodeNumber> NodeTable::NumberOf(Transaction& txn, std::string_view node_id) {
  ASSIGN_OR_RETURN(std::optional<std::string> stored, txn.Get(Table::kNodes, node_id));
  if (stored.has_value()) return static_cast<NodeNumber>(ReadBigEndian(*stored));
  ASSIGN_OR_RETURN(uint64_t number, numbers_.Allocate(txn, 1));
  if (number > std::numeric_limits<NodeNumber>::max()) {
    return ResourceExhausted("node numbers are used up");
  }
  txn.Put(Table::kNodes, std::string(node_id), BigEndian(number));
  auto small = static_cast<NodeNumber>(number);
  // Should the transaction be dropped, the id gets another number the next time.
  number_by_id_.insert_or_assign(std::string(node_id), small);
  Node& node = nodes_[small];
  node.number = small;
  node.registration.node_id = node_id;
  return small;
}

Result<Node*> NodeTable::Register(Transaction& txn,
                                  const NodeRegistration& registration,
                                  uint64_t session,
                                  const Now& now) {
  RETURN_IF_ERROR(CheckRegistration(registration));
  ASSIGN_OR_RETURN(HostPort address, ParseHostPort(registration.address));
  ASSIGN_OR_RETURN(NodeNumber number, NumberOf(txn, registration.node_id));
  Node& node = nodes_[number];
  node.registration = registration;
  node.host = address.host;
  node.session = session;
  node.state = NodeState::kLive;
  node.seen_at = now.steady;
  node.seen_at_ms = now.wall_ms();
  node.acknowledged_sequence = 0;
  node.has_reported = false;
  node.needs_full_report = false;
  node.placed_bytes = 0;
  return &node;
}

Result<Node*> NodeTable::Authenticate(std::string_view node_id, uint64_t session) {
  auto it = number_by_id_.find(std::string(node_id));
  Node* node = it == number_by_id_.end() ? nullptr : Find(it->second);
  if (node == nullptr || !node->is_registered() || node->session != session ||
      node->state == NodeState::kDead) {
    return NotFound("not registered: node=" + log::Quoted(node_id));
  }
  return node;
}

void NodeTable::Heartbeat(Node& node, const NodeLoad& load, const Now& now) {
  node.load = load;
  node.seen_at = now.steady;
  node.seen_at_ms = now.wall_ms();
  node.state = NodeState::kLive;
  node.placed_bytes = 0;
}

std::vector<NodeNumber> NodeTable::Sweep(const Now& now) {
  std::vector<NodeNumber> died;
  for (auto& [number, node] : nodes_) {
    if (!node.is_registered() || node.state == NodeState::kDead) continue;
    auto silent = now.steady - node.seen_at;
    if (silent >= options_.dead_after) {
      node.state = NodeState::kDead;
      died.push_back(number);
    } else if (silent >= options_.stale_after) {
      node.state = NodeState::kStale;
    }
  }
  return died;
}

Node* NodeTable::Find(NodeNumber number) {
  auto it = nodes_.find(number);
  return it == nodes_.end() ? nullptr : &it->second;
}

const Node* NodeTable::Find(NodeNumber number) const {
  auto it = nodes_.find(number);
  return it == nodes_.end() ? nullptr : &it->second;
}

const Node* NodeTable::FindById(std::string_view node_id) const {
  auto it = number_by_id_.find(std::string(node_id));
  return it == number_by_id_.end() ? nullptr : Find(it->second);
}

size_t NodeTable::live_count() const {
  size_t count = 0;
  for (const auto& [number, node] : nodes_) {
    if (node.is_registered() && node.state == NodeState::kLive) ++count;
  }
  return count;
}

}  // namespace slipstream::dfs::master
