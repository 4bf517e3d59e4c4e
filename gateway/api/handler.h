#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "gateway/api/documents.h"
#include "gateway/api/state_board.h"
#include "gateway/charts/chart_feed.h"
#include "gateway/http/message.h"
#include "gateway/user_clients.h"

namespace slipstream::gateway::api {

// Handler: the state of cluster and jobs as JSON, below /api/v1. It changes nothing.
//
//   /cluster /datanodes          as the master said last
//   /files?path=&after=&limit=   a directory, a page at a time; /blocks?path= of a file
//   /jobs /tasks /topics         as workers and Kafka say
//   /job?job=                    its text, plan and tables
//   /charts, /chart?chart=       the charts there are; one with its data, of a range of time
//   /records?topic=&limit=       the newest records of a topic
//   /events                      cluster, datanodes, jobs and tasks once a second, as server-sent
//                                events
//   /openapi.json                all of it described
//
// Threads    thread-safe. Ownership: borrows all of Parts.
class Handler final : public http::Handler {
 public:
  struct Parts {
    StateBoard& board;
    UserClients& clients;     // files and blocks are those that the caller may see
    std::string static_user;  // in whose name those ask who do not say who they are
    const Clock& clock;
    // The topics there are; may take seconds.
    std::function<Result<std::vector<TopicState>>()> list_topics;
    charts::ChartFeed& charts;
    // A topic's newest records, at most so many, as JSON; may take seconds.
    std::function<Result<std::string>(const std::string& topic, size_t records_max)> newest_records;
  };

  explicit Handler(Parts parts) : parts_(std::move(parts)) {}

  static bool Serves(const http::Request& request);

  http::Answer Handle(const http::Request& request) override;
  http::Response Overloaded(const http::Request& request) override;
  std::string_view OperationOf(const http::Request& request) const override;

 private:
  Result<http::Answer> Run(const http::Request& request);
  // The file system as it is for who asks.
  Result<std::shared_ptr<dfs::DfsClient>> ClientOf(const http::Request& request);
  Result<std::string> Files(const http::Request& request);
  Result<std::string> Job(const http::Request& request);
  Result<std::string> Chart(const http::Request& request);
  Result<std::string> Records(const http::Request& request);
  Result<std::string> Blocks(const http::Request& request);

  const Parts parts_;
};

}  // namespace slipstream::gateway::api
