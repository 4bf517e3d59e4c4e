#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/host_port.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "processor/formats/schema_registry.h"

namespace boost::asio::ssl {
class context;
}

namespace slipstream::runtime {

// HttpSchemaRegistry: a schema registry that speaks Confluent's REST API, over HTTP or HTTPS: GET
// /schemas/ids/{id} and POST /subjects/{subject}/versions. Of several addresses, which are those of
// one registry, it goes on to the next where one does not answer.
//
// Bounds      schemas that are known, and numbers nobody has, are kept, kCachedMax of each; an
//             answer has at most kAnswerBytesMax. A call takes as long as `timeout`, three times if
//             need be, or once for each address if that is more.
// Threads     thread-safe: one call at a time.
class HttpSchemaRegistry final : public sql::SchemaRegistry {
 public:
  static constexpr size_t kCachedMax = 1'000;
  static constexpr size_t kAnswerBytesMax = 4 << 20;

  static constexpr size_t kAddressesMax = 16;

  struct Options {
    sql::RegistryAddress address;
    std::chrono::milliseconds timeout{5'000};
  };
  // Makes no connection. Errors: kInvalidArgument (url, stores), kNotFound (a file).
  static Result<std::shared_ptr<sql::SchemaRegistry>> Create(Options options);

  Result<sql::AvroSchemaPtr> SchemaOf(int32_t id) override;
  Result<int32_t> Register(const std::string& subject, const std::string& schema) override;

 private:
  struct Server {
    HostPort address;
    std::string path;  // before every target; without '/' at its end
    bool is_tls = false;
  };
  struct Answer {
    unsigned status = 0;
    std::string body;
  };

  HttpSchemaRegistry(Options options,
                     std::vector<Server> servers,
                     std::shared_ptr<boost::asio::ssl::context> tls)
      : options_(std::move(options)), servers_(std::move(servers)), tls_(std::move(tls)) {}

  static Result<Server> ParseServer(std::string_view url);

  // GET without a body, POST with one; again while nobody answers.
  Result<Answer> Call(const std::string& target, const std::string& body) REQUIRES(mutex_);
  Result<Answer> Exchange(const Server& server,
                          const std::string& target,
                          const std::string& body) const;
  Status Failure(const Server& server, const std::string& why) const;

  const Options options_;
  const std::vector<Server> servers_;                     // not empty
  const std::shared_ptr<boost::asio::ssl::context> tls_;  // null where none is https
  Mutex mutex_;
  size_t server_ GUARDED_BY(mutex_) = 0;  // index of the one that answered last
  std::map<int32_t, Result<sql::AvroSchemaPtr>> known_ GUARDED_BY(mutex_);  // kNotFound included
};

}  // namespace slipstream::runtime
