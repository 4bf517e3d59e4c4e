#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/failpoint/failpoint.h"
#include "dfs-master/codec.h"
#include "dfs-master/log_wait.h"
#include "dfs-master/master.h"

// The two ways in which Master's requests touch the store, shared by its source files.

namespace slipstream::dfs::master {

inline Status HitFailpoint(std::string_view operation, std::string_view step) {
  if (!failpoint::AnyActive()) return {};
  return failpoint::Hit("master." + std::string(operation) + "." + std::string(step));
}

template <class Fn>
auto Master::WriteAhead(std::string_view operation, std::optional<uint64_t>& position, Fn change) {
  using R = std::invoke_result_t<Fn&, State&, Transaction&, BlockChanges&, const Now&>;
  position.reset();
  if (Status status = HitFailpoint(operation, "before_write"); !status.ok()) return R(status);
  Status store_error;
  auto run = [&]() -> R {
    MutexLock lock(mutex_);
    if (!state_.fatal.ok()) return R(state_.fatal);
    const Now now = ReadClock();
    Transaction txn(store_);
    BlockChanges changes;
    R result = change(state_, txn, changes, now);
    position = store_.position();
    if (!result.ok()) return result;
    Result<uint64_t> applied = Apply(txn, changes, now);
    if (!applied.ok()) {
      store_error = applied.status();
      return R(store_error);
    }
    position = *applied;
    return result;
  };
  R result = run();
  if (store_error.ok()) return result;
  position.reset();
  return R(Fail(store_error));
}

template <class Fn>
auto Master::Write(std::string_view operation, Fn change) {
  using R = std::invoke_result_t<Fn&, State&, Transaction&, BlockChanges&, const Now&>;
  std::optional<uint64_t> position;
  R result = WriteAhead(operation, position, std::move(change));
  if (!position.has_value()) return result;
  // An error, too, may come of what another request has only just written.
  if (Status status = AwaitWritten(operation, *position); !status.ok()) return R(status);
  return result;
}

template <class Fn>
Result<std::string> Master::WriteOnce(const OnceRequest& request, Fn change) {
  const RetryTable::Request once{.id = request.request_id,
                                 .content_hash = HashContent(request.content)};
  return Write(request.operation,
               [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now)
                   -> Result<std::string> {
                 ASSIGN_OR_RETURN(std::optional<std::string> known, RetryTable::Find(txn, once));
                 if (known.has_value()) return std::move(*known);
                 if (auto refusal = state.refusals.Find(once.id)) return *refusal;
                 const Status allowed =
                     request.check == nullptr ? Status() : (state.*request.check)();
                 Result<std::string> answer =
                     allowed.ok() ? change(state, txn, changes, now) : Result<std::string>(allowed);
                 if (!answer.ok()) {
                   state.refusals.Remember(once.id, answer.status());
                   return answer;
                 }
                 state.requests.Remember(txn, once, *answer, now);
                 return answer;
               });
}

template <class Fn>
auto Master::Read(Fn query) {
  using R = std::invoke_result_t<Fn&, State&, const Transaction&>;
  uint64_t position = 0;
  auto run = [&]() -> R {
    MutexLock lock(mutex_);
    if (!state_.fatal.ok()) return R(state_.fatal);
    Transaction txn(store_);
    position = store_.position();
    return query(state_, std::as_const(txn));
  };
  R result = run();
  if (LogWait* wait = LogWait::Current()) {
    wait->Note(position);
    return result;
  }
  if (Status status = AwaitLog(position); !status.ok()) return R(status);
  return result;
}

}  // namespace slipstream::dfs::master
