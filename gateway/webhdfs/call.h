#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/status/status.h"
#include "dfs-client/dfs_client.h"
#include "gateway/http/message.h"
#include "gateway/webhdfs/parameters.h"
#include "gateway/webhdfs/remote_exception.h"

namespace slipstream::gateway::webhdfs {

// Call: one request, understood. Copied into whatever goes on with it later.
struct Call {
  Parameters parameters;
  std::string path;       // normal (dfs-client/path.h)
  std::string user;       // who asks
  std::string authority;  // HOST:PORT under which the client reaches this gateway
  bool is_over_tls = false;
  std::string remote;  // the client's address
  std::optional<uint64_t> body_bytes;
  // Of the user. Shared with the cache of clients, which may give it up before the call has ended.
  std::shared_ptr<dfs::DfsClient> client;
};

// What an operation comes to: an answer, an exception of its own choice, or an error of the file
// system that needs no words of its own.
using Outcome = std::variant<http::Answer, RemoteException, Status>;

http::Answer ToAnswer(Outcome outcome, const std::string& path);

}  // namespace slipstream::gateway::webhdfs
