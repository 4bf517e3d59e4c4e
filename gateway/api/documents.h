#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"
#include "gateway/api/job_description.h"
#include "gateway/api/worker_state.h"
#include "gateway/http/message.h"

// The documents of /api/v1 (openapi.cpp describes them to others). Every number with its unit in
// its name. Pure.

namespace slipstream::gateway::api {

std::string ClusterText(const dfs::ClusterState& state, int64_t age_ms);
std::string DatanodesText(const dfs::ClusterState& state, int64_t now_ms);
// Jobs that run, each with its workers, what it reads and writes; and all tasks, each with its job.
std::string JobsText(std::span<const WorkerState> workers,
                     std::span<const JobDescription> descriptions,
                     int64_t now_ms);
std::string JobText(const JobDescription& description);
std::string TasksText(std::span<const WorkerState> workers);
std::string FilesText(const std::string& path,
                      const dfs::FileStatus& status,
                      const dfs::DirectoryPage& page);
std::string BlocksText(const std::string& path, std::span<const dfs::FileBlocks> pages);

// What a topic's tasks have still to read, as the tasks say.
struct TopicState {
  std::string name;
  int32_t partitions = 0;
};
std::string TopicsText(std::span<const TopicState> topics, std::span<const WorkerState> workers);

http::Response JsonResponse(std::string text);
// {"error":{"code":"not_found","message":…}}
http::Response ErrorResponse(const Status& status);

// The description of all of it, as OpenAPI 3 has it.
std::string_view OpenApiText();

}  // namespace slipstream::gateway::api
