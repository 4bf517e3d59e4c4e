#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/status/status.h"

// What the server and those who answer say to one another. Plain values: no socket, no Beast.

namespace slipstream::gateway::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The head of a request; what the body holds goes to a BodySink.
struct Request {
  std::string method;  // as sent: "GET"
  std::string path;    // as sent, percent-encoded, up to the '?'
  std::string query;   // behind the '?', percent-encoded
  Headers headers;     // in order, names as sent
  std::string remote;  // the client's address, without port
  bool is_over_tls = false;
  bool has_body = false;
  std::optional<uint64_t> body_bytes;  // nothing where the client does not say beforehand

  // The first of that name, whatever its case; empty where there is none.
  std::string_view Header(std::string_view name) const;
};

// BodySource: the body of an answer, a chunk at a time, so that it is never in memory as a whole.
// Threads  one caller at a time, never the server's I/O thread: Next may block, and so may the
//          destructor.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next bytes; empty at the end. An error breaks the connection off, which is how the client
  // learns of it: the head is long gone.
  virtual Result<std::string> Next() = 0;
};

struct Response {
  int code = 200;
  std::string content_type = {};  // empty: none is sent
  Headers headers = {};           // values without control characters: the server checks
  std::string body = {};
  // In place of `body`.
  std::unique_ptr<BodySource> source = nullptr;
  std::optional<uint64_t> source_bytes = std::nullopt;  // nothing: chunked
  uint64_t memory_bytes = 0;  // that the source holds at most, taken from the server's budget
  // So long is waited before each chunk but the first, for a source that goes on for ever: it is
  // broken off when the server ends.
  std::chrono::milliseconds source_period{0};
};

// BodySink: where the body of a request goes. Destroyed without Finish() when the client breaks
// off: nothing of the body may then be visible. Threads  as BodySource.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // Nothing: go on. An answer ends the upload; the rest of the body is thrown away.
  virtual std::optional<Response> Write(std::string_view bytes) = 0;
  // The whole body was written.
  virtual Response Finish() = 0;
};

struct Upload {
  std::unique_ptr<BodySink> sink;
  uint64_t memory_bytes = 0;  // that the sink holds at most, taken from the server's budget
};

// An answer that takes long; the server gets it where that holds up nobody else.
struct Deferred {
  std::function<Response()> work;
};

using Answer = std::variant<Response, Upload, Deferred>;

// Handler: answers requests.
// Threads  called from several at a time.
class Handler {
 public:
  virtual ~Handler() = default;
  // May block, but not for long. The body of a request is thrown away unless an Upload takes it.
  virtual Answer Handle(const Request& request) = 0;
  // The answer to a request for which there was no memory in time.
  virtual Response Overloaded(const Request& request) = 0;
  // What is asked for, as metrics count it: one of a fixed set of texts that live for ever.
  virtual std::string_view OperationOf(const Request& /*request*/) const { return "page"; }
};

// As the names of headers and of WebHDFS' parameters are compared: of ASCII letters the case does
// not count.
bool EqualWithoutCase(std::string_view a, std::string_view b);

// Whether it can stand as the value of a header: no control characters, with which whoever
// controls it could write headers and answers of his own.
bool IsHeaderText(std::string_view text);

}  // namespace slipstream::gateway::http
