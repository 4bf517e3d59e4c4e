// What users ask of names.

#include <algorithm>
#include <utility>

#include "dfs-master/master.h"
#include "dfs-master/master_write.h"
#include "dfs-master/request_content.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint32_t kListDefault = 1'000;
constexpr uint32_t kListMax = 5'000;
constexpr size_t kStatusesMax = 10'000;
// Looked up while the lock is held: others have their turn in between.
constexpr size_t kStatusesPerTurn = 500;

Result<FileStatus> StatusFrom(const Result<std::string>& answer) {
  RETURN_IF_ERROR(answer.status());
  FileStatus status;
  // Remembered by a program that did not remember answers: it is done, that is all we know.
  if (!answer->empty()) RETURN_IF_ERROR(Decode(*answer, status));
  return status;
}

}  // namespace

Result<FileStatus> Master::GetStatus(std::string_view path, const Caller& caller) {
  return Read([&](State& state, const Transaction& txn) -> Result<FileStatus> {
    RETURN_IF_ERROR(state.permissions.CheckReach(txn, caller, path));
    return state.tree.GetStatus(txn, path);
  });
}

Status Master::CheckAccess(std::string_view path, uint32_t rights, const Caller& caller) {
  return Read([&](State& state, const Transaction& txn) -> Status {
    RETURN_IF_ERROR(state.permissions.CheckAccess(txn, caller, path, rights));
    return state.tree.GetStatus(txn, path).status();
  });
}

Result<std::vector<Result<FileStatus>>> Master::GetStatuses(std::span<const std::string> paths,
                                                            const Caller& caller) {
  if (paths.size() > kStatusesMax) {
    return InvalidArgument("at most 10000 paths at once: paths=" + std::to_string(paths.size()));
  }
  std::vector<Result<FileStatus>> all;
  all.reserve(paths.size());
  while (all.size() < paths.size()) {
    const auto turn =
        paths.subspan(all.size(), std::min(kStatusesPerTurn, paths.size() - all.size()));
    auto statuses =
        Read([&](State& state, const Transaction& txn) -> Result<std::vector<Result<FileStatus>>> {
          auto found = state.tree.GetStatuses(txn, turn);
          for (size_t i = 0; !caller.is_superuser && i < turn.size(); ++i) {
            Status reach = state.permissions.CheckReach(txn, caller, turn[i]);
            if (!reach.ok()) found[i] = std::move(reach);
          }
          return found;
        });
    RETURN_IF_ERROR(statuses.status());
    std::move(statuses->begin(), statuses->end(), std::back_inserter(all));
  }
  return all;
}

Result<Listing> Master::List(std::string_view path,
                             std::string_view start_after,
                             uint32_t limit,
                             const Caller& caller) {
  if (start_after.size() > kNameBytesMax) return InvalidArgument("start_after is too long");
  limit = limit == 0 ? kListDefault : std::min(limit, kListMax);
  return Read([&](State& state, const Transaction& txn) -> Result<Listing> {
    RETURN_IF_ERROR(state.permissions.CheckList(txn, caller, path));
    return state.tree.List(txn, path, start_after, limit);
  });
}

Result<FileStatus> Master::MakeDirectory(std::string_view path,
                                         const Attributes& attributes,
                                         bool create_parents,
                                         std::string_view request_id,
                                         const Caller& caller) {
  OnceRequest once{.operation = "mkdir", .request_id = request_id};
  once.content = RequestContent("mkdir").Add(path).Add(uint64_t{create_parents}).Take();
  return StatusFrom(WriteOnce(
      once,
      [&](State& state, Transaction& txn, BlockChanges&, const Now& now) -> Result<std::string> {
        RETURN_IF_ERROR(state.permissions.CheckMake(txn, caller, path));
        const Attributes own = Permissions::OwnedBy(caller, attributes);
        ASSIGN_OR_RETURN(FileStatus status,
                         state.tree.MakeDirectory(txn, path, own, create_parents, now));
        return Encode(status);
      }));
}

Status Master::Delete(std::string_view path,
                      bool is_recursive,
                      std::string_view request_id,
                      const Caller& caller) {
  OnceRequest once{.operation = "delete", .request_id = request_id};
  once.content = RequestContent("delete").Add(path).Add(uint64_t{is_recursive}).Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
                       -> Result<std::string> {
                     RETURN_IF_ERROR(state.permissions.CheckRemove(txn, caller, path));
                     RETURN_IF_ERROR(state.tree.Delete(txn, path, is_recursive, now));
                     return std::string();
                   })
      .status();
}

Status Master::Rename(std::string_view source,
                      std::string_view target,
                      bool replace,
                      std::string_view request_id,
                      const Caller& caller) {
  OnceRequest once{.operation = "rename", .request_id = request_id};
  once.content = RequestContent("rename").Add(source).Add(target).Add(uint64_t{replace}).Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges&, const Now& now)
                       -> Result<std::string> {
                     RETURN_IF_ERROR(state.permissions.CheckRemove(txn, caller, source));
                     RETURN_IF_ERROR(state.permissions.CheckMake(txn, caller, target));
                     // What is there gives way: a sticky directory may keep it.
                     if (replace) {
                       RETURN_IF_ERROR(state.permissions.CheckRemove(txn, caller, target));
                     }
                     RETURN_IF_ERROR(state.tree.Rename(txn, source, target, replace, now));
                     return std::string();
                   })
      .status();
}

Result<FileStatus> Master::SetAttributes(std::string_view path,
                                         const AttributeChange& change,
                                         std::string_view request_id,
                                         const Caller& caller) {
  OnceRequest once{.operation = "setattr", .request_id = request_id};
  once.content = RequestContent("setattr")
                     .Add(path)
                     .Add(change.owner)
                     .Add(change.group)
                     .Add(change.mode)
                     .Add(change.modified_at_ms)
                     .Add(change.accessed_at_ms)
                     .Take();
  return StatusFrom(WriteOnce(
      once, [&](State& state, Transaction& txn, BlockChanges&, const Now&) -> Result<std::string> {
        RETURN_IF_ERROR(state.permissions.CheckChange(txn, caller, path, change));
        ASSIGN_OR_RETURN(FileStatus status, state.tree.SetAttributes(txn, path, change));
        return Encode(status);
      }));
}

Status Master::SetReplication(std::string_view path,
                              uint32_t replication,
                              std::string_view request_id,
                              const Caller& caller) {
  OnceRequest once{.operation = "setrep", .request_id = request_id};
  once.content = RequestContent("setrep").Add(path).Add(uint64_t{replication}).Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges& changes, const Now&)
                       -> Result<std::string> {
                     RETURN_IF_ERROR(state.permissions.CheckWrite(txn, caller, path));
                     RETURN_IF_ERROR(state.files.SetReplication(txn, path, replication, changes));
                     return std::string();
                   })
      .status();
}

Status Master::SetQuota(std::string_view path,
                        const QuotaTable::Limits& limits,
                        std::string_view request_id,
                        const Caller& caller) {
  OnceRequest once{.operation = "setquota", .request_id = request_id};
  once.content =
      RequestContent("setquota").Add(path).Add(limits.names_max).Add(limits.space_max_bytes).Take();
  return WriteOnce(
             once,
             [&](State& state, Transaction& txn, BlockChanges&, const Now&) -> Result<std::string> {
               RETURN_IF_ERROR(Permissions::CheckSuperuser(caller));
               RETURN_IF_ERROR(state.tree.SetQuota(txn, path, limits));
               return std::string();
             })
      .status();
}

Status Master::Truncate(std::string_view path,
                        uint64_t length_bytes,
                        std::string_view request_id,
                        const Caller& caller) {
  OnceRequest once{.operation = "truncate", .request_id = request_id};
  once.content = RequestContent("truncate").Add(path).Add(length_bytes).Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                       -> Result<std::string> {
                     RETURN_IF_ERROR(state.permissions.CheckWrite(txn, caller, path));
                     RETURN_IF_ERROR(state.files.Truncate(txn, path, length_bytes, now, changes));
                     return std::string();
                   })
      .status();
}

Status Master::Concat(std::string_view target,
                      std::span<const std::string> sources,
                      std::string_view request_id,
                      const Caller& caller) {
  OnceRequest once{.operation = "concat", .request_id = request_id};
  RequestContent content("concat");
  content.Add(target);
  for (const std::string& source : sources)
    content.Add(std::string_view(source));
  once.content = content.Take();
  return WriteOnce(once,
                   [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                       -> Result<std::string> {
                     RETURN_IF_ERROR(state.permissions.CheckWrite(txn, caller, target));
                     for (const std::string& source : sources) {
                       RETURN_IF_ERROR(state.permissions.CheckRead(txn, caller, source));
                       RETURN_IF_ERROR(state.permissions.CheckRemove(txn, caller, source));
                     }
                     RETURN_IF_ERROR(state.files.Concat(txn, target, sources, now, changes));
                     return std::string();
                   })
      .status();
}

}  // namespace slipstream::dfs::master
