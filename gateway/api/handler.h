#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "dfs-client/dfs_client.h"
#include "gateway/api/documents.h"
#include "gateway/api/state_board.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::api {

// Handler: the state of cluster and jobs as JSON, below /api/v1. It changes nothing.
//
//   /cluster /datanodes          as the master said last
//   /files?path=&after=&limit=   a directory, a page at a time; /blocks?path= of a file
//   /jobs /tasks /topics         as workers and Kafka say
//   /events                      cluster, datanodes and jobs once a second, as server-sent events
//   /openapi.json                all of it described
//
// Threads    thread-safe. Ownership: borrows all of Parts.
class Handler final : public http::Handler {
 public:
  struct Parts {
    StateBoard& board;
    dfs::DfsClient& client;
    const Clock& clock;
    // The topics there are; may take seconds.
    std::function<Result<std::vector<TopicState>>()> list_topics;
  };

  explicit Handler(Parts parts) : parts_(std::move(parts)) {}

  static bool Serves(const http::Request& request);

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;

 private:
  Result<http::Answer> Run(const http::Request& request);
  Result<std::string> Files(const http::Request& request);
  Result<std::string> Blocks(const http::Request& request);

  const Parts parts_;
};

}  // namespace slipstream::gateway::api
