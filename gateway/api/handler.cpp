#include "gateway/api/handler.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "dfs-client/path.h"
#include "gateway/api/event_source.h"
#include "gateway/http/uri.h"
#include "gateway/user_name.h"

namespace slipstream::gateway::api {
namespace {

constexpr std::string_view kPrefix = "/api/v1";
constexpr uint32_t kEntriesMax = 1'000;
constexpr size_t kPagesMax = 10'000;
constexpr int64_t kStepsMax = 1'000;
constexpr int64_t kRecordsMax = 200;
constexpr int64_t kTimeMaxMs = 253'402'300'800'000;  // the year 10000

// Of the query; empty where it is not there.
Result<std::string> Parameter(const http::Request& request, std::string_view name) {
  ASSIGN_OR_RETURN(const http::Query query, http::ParseQuery(request.query));
  return http::ParameterOf(query, name).value_or("");
}

Result<std::string> PathOf(const http::Request& request) {
  ASSIGN_OR_RETURN(const std::string path, Parameter(request, "path"));
  return dfs::NormalizePath(path.empty() ? "/" : path);
}

// Nothing where it is not there.
Result<std::optional<int64_t>> NumberOf(const http::Request& request,
                                        const std::string& name,
                                        int64_t min,
                                        int64_t max) {
  ASSIGN_OR_RETURN(const std::string text, Parameter(request, name));
  if (text.empty()) return std::optional<int64_t>();
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < min || number > max) {
    return InvalidArgument(name + " is a number from " + std::to_string(min) + " to " +
                           std::to_string(max));
  }
  return std::optional(number);
}

Result<uint32_t> LimitOf(const http::Request& request) {
  ASSIGN_OR_RETURN(const auto limit, NumberOf(request, "limit", 1, kEntriesMax));
  return static_cast<uint32_t>(limit.value_or(kEntriesMax));
}

http::Response ToResponse(Result<std::string> text) {
  return text.ok() ? JsonResponse(std::move(*text)) : ErrorResponse(text.status());
}

}  // namespace

bool Handler::Serves(const http::Request& request) {
  return std::string_view(request.path).starts_with("/api/");
}

http::Answer Handler::Handle(const http::Request& request) {
  Result<http::Answer> answer = Run(request);
  if (!answer.ok()) return ErrorResponse(answer.status());
  return std::move(*answer);
}

http::Response Handler::Overloaded(const http::Request& /*request*/) {
  return ErrorResponse(Unavailable("the gateway is busy: no memory became free in time"));
}

std::string_view Handler::OperationOf(const http::Request& request) const {
  // A stream's time is that for which somebody looked, and says nothing of ours.
  return request.path.ends_with("/events") ? "api_events" : "api";
}

Result<http::Answer> Handler::Run(const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return Unimplemented("only GET: nothing is changed here");
  }
  const std::string_view path(request.path);
  const std::string_view name =
      path.starts_with(kPrefix) ? path.substr(kPrefix.size()) : std::string_view();
  if (name == "/cluster") return ToResponse(ClusterNow(parts_.board, parts_.clock));
  if (name == "/datanodes") return ToResponse(DatanodesNow(parts_.board, parts_.clock));
  if (name == "/jobs") return ToResponse(JobsNow(parts_.board, parts_.clock));
  if (name == "/files") return ToResponse(Files(request));
  if (name == "/openapi.json") return JsonResponse(std::string(OpenApiText()));
  if (name == "/blocks") {
    return http::Deferred{[this, request] { return ToResponse(Blocks(request)); }};
  }
  if (name == "/tasks") return ToResponse(TasksNow(parts_.board));
  if (name == "/job") return ToResponse(Job(request));
  if (name == "/charts") return JsonResponse(parts_.charts.ListText());
  if (name == "/chart") return ToResponse(Chart(request));
  if (name == "/records") {
    return http::Deferred{[this, request] { return ToResponse(Records(request)); }};
  }
  if (name == "/topics") {
    return http::Deferred{[this] {
      const auto topics = parts_.list_topics();
      if (!topics.ok()) return ErrorResponse(topics.status());
      return JsonResponse(TopicsText(*topics, parts_.board.workers()));
    }};
  }
  if (name == "/events") {
    http::Response response{.content_type = "text/event-stream"};
    response.source = std::make_unique<EventSource>(parts_.board, parts_.clock);
    response.source_period = EventSource::kPeriod;
    response.memory_bytes = EventSource::kMemoryBytes;
    return response;
  }
  return NotFound("nothing is here; /api/v1/openapi.json says what there is");
}

Result<std::shared_ptr<dfs::DfsClient>> Handler::ClientOf(const http::Request& request) {
  ASSIGN_OR_RETURN(const http::Query query, http::ParseQuery(request.query));
  ASSIGN_OR_RETURN(const std::string user, UserOf(query, parts_.static_user));
  return parts_.clients.For(user);
}

Result<std::string> Handler::Files(const http::Request& request) {
  ASSIGN_OR_RETURN(const std::string path, PathOf(request));
  ASSIGN_OR_RETURN(const std::string after, Parameter(request, "after"));
  ASSIGN_OR_RETURN(const uint32_t limit, LimitOf(request));
  ASSIGN_OR_RETURN(const auto client, ClientOf(request));
  ASSIGN_OR_RETURN(const dfs::FileStatus status, client->Stat(path));
  dfs::DirectoryPage page;
  if (status.kind == dfs::FileKind::kDirectory) {
    ASSIGN_OR_RETURN(page, client->List(path, after, limit));
  }
  return FilesText(path, status, page);
}

Result<std::string> Handler::Job(const http::Request& request) {
  RETURN_IF_ERROR(parts_.board.jobs_health());
  ASSIGN_OR_RETURN(const std::string job, Parameter(request, "job"));
  const auto description = parts_.board.description(job);
  if (!description.has_value()) return NotFound("no job of that name has said what it is");
  return JobText(*description);
}

Result<std::string> Handler::Chart(const http::Request& request) {
  charts::ChartFeed::Request asked;
  ASSIGN_OR_RETURN(asked.chart, Parameter(request, "chart"));
  ASSIGN_OR_RETURN(asked.range.from_ms, NumberOf(request, "from_ms", -kTimeMaxMs, kTimeMaxMs));
  ASSIGN_OR_RETURN(asked.range.to_ms, NumberOf(request, "to_ms", -kTimeMaxMs, kTimeMaxMs));
  ASSIGN_OR_RETURN(asked.last_ms, NumberOf(request, "last_ms", 1, kTimeMaxMs));
  ASSIGN_OR_RETURN(const auto steps, NumberOf(request, "steps", 1, kStepsMax));
  if (steps.has_value()) asked.steps = static_cast<size_t>(*steps);
  return parts_.charts.DataText(asked);
}

Result<std::string> Handler::Records(const http::Request& request) {
  ASSIGN_OR_RETURN(const std::string topic, Parameter(request, "topic"));
  if (topic.empty()) return InvalidArgument("topic is missing");
  ASSIGN_OR_RETURN(const auto limit, NumberOf(request, "limit", 1, kRecordsMax));
  return parts_.newest_records(topic, static_cast<size_t>(limit.value_or(kRecordsMax)));
}

Result<std::string> Handler::Blocks(const http::Request& request) {
  ASSIGN_OR_RETURN(const std::string path, PathOf(request));
  ASSIGN_OR_RETURN(const auto client, ClientOf(request));
  std::vector<dfs::FileBlocks> pages;
  uint64_t at = 0;
  while (pages.size() < kPagesMax) {
    ASSIGN_OR_RETURN(dfs::FileBlocks page, client->LocateBlocks(path, at));
    uint64_t next = page.first_block_offset_bytes;
    for (const dfs::LocatedBlock& block : page.blocks)
      next += block.length_bytes;
    const bool is_last = page.blocks.empty() || next >= page.status.length_bytes;
    pages.push_back(std::move(page));
    if (is_last) break;
    at = next;
  }
  return BlocksText(path, pages);
}

}  // namespace slipstream::gateway::api
