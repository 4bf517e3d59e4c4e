#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/access/bearer_token.h"
#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/rpc/transport.h"
#include "common/status/status.h"

namespace slipstream::dfs {

class Notices;

// MasterConnection: calls to the master by their full names ("/slipstream.dfs.v1.DfsMaster/Stat"),
// each with a deadline. Private to the library.
//
// Ownership  owns one connection; borrows `notices`, clock and sleeper.
// Threads    thread-safe.
// Errors     the master's; of kUnavailable and kDeadlineExceeded the message names it. After these
//            two a call may or may not have been carried out.
class MasterConnection final {
 public:
  struct Options {
    std::string address;
    std::chrono::milliseconds timeout;          // of a call with all its attempts
    std::chrono::milliseconds attempt_timeout;  // of one attempt
    std::string user = {};                      // in whose name
    std::string token_file = {};                // that proves it (access::BearerToken); empty: none
    uint64_t seed = 0;                          // of the jitter; 0: a random one
    std::stop_token stop;
    const Clock* clock = &SystemClock::Get();
    Sleeper* sleeper = &SystemSleeper::Get();
  };

  MasterConnection(Options options, rpc::Transport& transport, Notices& notices);

  MasterConnection(const MasterConnection&) = delete;
  MasterConnection& operator=(const MasterConnection&) = delete;

  // Tried again while the master is away: for calls that may be carried out twice, or carry an id
  // under which they are carried out once.
  Status Call(std::string_view method,
              const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response);
  // A single attempt, of up to `timeout`; zero: Options::attempt_timeout.
  Status CallOnce(std::string_view method,
                  const google::protobuf::MessageLite& request,
                  google::protobuf::MessageLite& response,
                  std::chrono::milliseconds timeout = std::chrono::milliseconds(0));

  const std::string& address() const { return options_.address; }

 private:
  Status Attempt(std::string_view method,
                 const google::protobuf::MessageLite& request,
                 google::protobuf::MessageLite& response,
                 std::chrono::milliseconds timeout);

  const Options options_;
  Notices& notices_;
  access::BearerToken token_;
  const std::shared_ptr<rpc::Peer> peer_;  // shared with the transport
};

}  // namespace slipstream::dfs
