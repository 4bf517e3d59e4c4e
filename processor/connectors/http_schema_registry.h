#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/net/host_port.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "processor/formats/schema_registry.h"

namespace slipstream::runtime {

// HttpSchemaRegistry: a schema registry that speaks Confluent's REST API, over plain HTTP: GET
// /schemas/ids/{id} and POST /subjects/{subject}/versions.
//
// Bounds      schemas that are known, and numbers nobody has, are kept, kCachedMax of each; an
//             answer has at most kAnswerBytesMax. A call takes as long as `timeout`, three times if
//             need be.
// Threads     thread-safe: one call at a time.
class HttpSchemaRegistry final : public sql::SchemaRegistry {
 public:
  static constexpr size_t kCachedMax = 1'000;
  static constexpr size_t kAnswerBytesMax = 4 << 20;

  struct Options {
    std::string url;        // "http://host:port" or "http://host:port/path"
    std::string user_info;  // "user:password" for basic authentication; empty: none
    std::chrono::milliseconds timeout{5'000};
  };
  // Makes no connection. Errors: kInvalidArgument (url), kUnimplemented (https, several).
  static Result<std::shared_ptr<sql::SchemaRegistry>> Create(Options options);

  Result<sql::AvroSchemaPtr> SchemaOf(int32_t id) override;
  Result<int32_t> Register(const std::string& subject, const std::string& schema) override;

 private:
  struct Answer {
    unsigned status = 0;
    std::string body;
  };

  HttpSchemaRegistry(Options options, HostPort address, std::string path)
      : options_(std::move(options)), address_(std::move(address)), path_(std::move(path)) {}

  // GET without a body, POST with one; again while nobody answers.
  Result<Answer> Call(const std::string& target, const std::string& body) REQUIRES(mutex_);
  Result<Answer> Exchange(const std::string& target, const std::string& body) const;

  const Options options_;
  const HostPort address_;
  const std::string path_;  // before every target; without '/' at its end
  Mutex mutex_;
  std::map<int32_t, Result<sql::AvroSchemaPtr>> known_ GUARDED_BY(mutex_);  // kNotFound included
};

}  // namespace slipstream::runtime
