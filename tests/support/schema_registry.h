#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace slipstream::test_support {

// SchemaRegistry: a schema registry of the test's own on a free port of loopback, which answers
// what Confluent documents of its REST API: GET /schemas/ids/{id}, POST
// /subjects/{subject}/versions. Made of other parts than the product's client, but for the HTTP
// library.
// Threads: one of its own serves; every call is thread-safe.
class SchemaRegistry final {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    // For https: the server's certificate, and, if it is so, those of clients that it takes.
    std::string tls_dir;  // empty: http
    bool wants_certificate = false;
  };

  SchemaRegistry() : SchemaRegistry(Options()) {}
  explicit SchemaRegistry(const Options& options);
  ~SchemaRegistry();
  SchemaRegistry(const SchemaRegistry&) = delete;
  SchemaRegistry& operator=(const SchemaRegistry&) = delete;

  std::string url() const;
  // As a POST does; the schema's number.
  int32_t Add(const std::string& subject, const std::string& schema);
  // Subjects with the number of their newest schema.
  std::map<std::string, int32_t> Subjects() const;
  // From here on that many requests are answered with 503.
  void FailNext(int requests);
  int request_count() const;
  // The header of that name in the last request.
  std::string last_authorization() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::test_support
