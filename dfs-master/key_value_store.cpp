#include "dfs-master/key_value_store.h"

namespace slipstream::dfs::master {

const char* TableName(Table table) {
  switch (table) {
    case Table::kMeta:
      return "meta";
    case Table::kInodes:
      return "inodes";
    case Table::kInodeNames:
      return "inode_names";
    case Table::kFileBlocks:
      return "file_blocks";
    case Table::kOrphans:
      return "orphans";
    case Table::kAppenders:
      return "appenders";
    case Table::kPrepared:
      return "prepared";
    case Table::kReservations:
      return "reservations";
    case Table::kOpenFiles:
      return "open_files";
    case Table::kCollected:
      return "collected";
    case Table::kNodes:
      return "nodes";
    case Table::kRequests:
      return "requests";
    case Table::kQuotas:
      return "quotas";
    case Table::kLeases:
      return "leases";
  }
  return "";
}

}  // namespace slipstream::dfs::master
