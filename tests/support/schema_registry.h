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
  SchemaRegistry();
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

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::test_support
