#include "dfs-master/node_table.h"

#include <algorithm>
#include <limits>

#include "common/log/log.h"
#include "common/net/host_port.h"
#include "dfs-master/codec.h"
#include "dfs-master/path.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kTextBytesMax = 255;
// Ids are given one after another: none comes near this.
constexpr BlockId kBlockIdMax = BlockId{1} << 62;
// A node's record: its number, and, where an operator wants something of it, what and until when.
constexpr size_t kNumberBytes = 8;
constexpr size_t kServiceBytes = kNumberBytes + 1 + 8;

Status Decode(std::string_view value, Node& node) {
  const bool has_service = value.size() == kServiceBytes;
  const uint64_t number = ReadBigEndian(value);
  const auto service = has_service ? static_cast<uint8_t>(value[kNumberBytes]) : uint8_t{0};
  const bool is_sound = (has_service || value.size() == kNumberBytes) && number != 0 &&
                        number <= std::numeric_limits<NodeNumber>::max() &&
                        service <= static_cast<uint8_t>(NodeService::kMaintenance);
  if (!is_sound) return DataLoss("nodes: impossible record");
  node.number = static_cast<NodeNumber>(number);
  node.service = static_cast<NodeService>(service);
  if (has_service) {
    node.maintenance_until_ms = static_cast<int64_t>(ReadBigEndian(value, kNumberBytes + 1));
  }
  return {};
}

std::string Encode(const Node& node) {
  std::string value = BigEndian(node.number);
  if (node.service == NodeService::kInService) return value;
  value.push_back(static_cast<char>(node.service));
  AppendBigEndian(value, static_cast<uint64_t>(node.maintenance_until_ms));
  return value;
}

Status CheckRegistration(const NodeRegistration& registration) {
  for (const std::string* text : {&registration.node_id,
                                  &registration.failure_domain,
                                  &registration.admin_address,
                                  &registration.version,
                                  &registration.rack,
                                  &registration.host}) {
    if (text->size() > kTextBytesMax || !IsPrintableUtf8(*text)) {
      return InvalidArgument("register: text too long, or not UTF-8");
    }
  }
  if (registration.node_id.empty() || registration.node_id.size() > 64) {
    return InvalidArgument("register: a node id has 1 to 64 bytes");
  }
  if (registration.highest_block_id > kBlockIdMax) {
    return InvalidArgument("register: impossible block id");
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
        Node node;
        damage = Decode(value, node);
        if (!damage.ok()) return false;
        node.registration.node_id = key;
        number_by_id_.emplace(key, node.number);
        nodes_.insert_or_assign(node.number, std::move(node));
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
  if (node.registration.host.empty()) node.registration.host = address.host;
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

void NodeTable::SetService(
    Transaction& txn, Node& node, NodeService service, int64_t until_ms, const Now& now) {
  node.service = service;
  node.service_since = now.steady;
  node.maintenance_until_ms = service == NodeService::kMaintenance ? until_ms : 0;
  txn.Put(Table::kNodes, node.registration.node_id, Encode(node));
}

std::vector<NodeNumber> NodeTable::Rested(const Now& now) const {
  std::vector<NodeNumber> rested;
  for (const auto& [number, node] : nodes_) {
    const bool ends = node.service == NodeService::kMaintenance && node.maintenance_until_ms != 0;
    if (ends && node.maintenance_until_ms <= now.wall_ms()) rested.push_back(number);
  }
  return rested;
}

Result<Node*> NodeTable::FindByName(std::string_view name) {
  if (auto it = number_by_id_.find(std::string(name)); it != number_by_id_.end()) {
    return Find(it->second);
  }
  std::vector<Node*> matches;
  for (auto& [number, node] : nodes_) {
    if (!node.is_registered()) continue;
    const bool is_meant =
        node.registration.address == name || node.host() == name ||
        node.registration.address.substr(0, node.registration.address.rfind(':')) == name;
    if (is_meant) matches.push_back(&node);
  }
  // A machine whose disks were replaced came back as another node: its old one is dead.
  const bool is_any_there = std::any_of(
      matches.begin(), matches.end(), [](const Node* node) { return node->is_there(); });
  if (is_any_there) std::erase_if(matches, [](const Node* node) { return !node->is_there(); });
  if (matches.empty()) return NotFound("no such datanode: " + log::Quoted(name));
  if (matches.size() > 1) {
    return InvalidArgument(std::to_string(matches.size()) + " datanodes go by the name " +
                           log::Quoted(name) + ": name one by its HOST:PORT");
  }
  return matches.front();
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

size_t NodeTable::serving_count() const {
  return static_cast<size_t>(std::count_if(
      nodes_.begin(), nodes_.end(), [](const auto& entry) { return entry.second.is_serving(); }));
}

}  // namespace slipstream::dfs::master
