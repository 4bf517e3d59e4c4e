#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace google::protobuf {
class MessageLite;
}

// The seam between whoever calls and whatever carries the call: gRPC (grpc_transport.h), or a
// simulated network that loses, doubles and delays. Messages are protobuf's, by base class; a
// method is named as gRPC names it, "/package.Service/Method".

namespace slipstream::rpc {

struct CallOptions {
  std::chrono::milliseconds timeout;  // from now; every call has one
  std::stop_token stop;               // cancels the call
  // Who asks, for servers that want to know; empty: it is not said. Borrowed for the call.
  std::string_view user = {};
  // A secret that proves it; only ever sent over TLS. Empty: none. Borrowed for the call.
  std::string_view token = {};
};

// The metadata of a call that names its user; what ends in "-bin" may hold any bytes.
constexpr char kUserMetadata[] = "slipstream-user-bin";
// That of a call with a token, whose value begins with the scheme.
constexpr char kAuthorizationMetadata[] = "authorization";
constexpr std::string_view kBearerScheme = "Bearer ";

// A call whose request is a stream. Destroyed before Finish, it is cancelled.
// Threads: not thread-safe.
class RequestStream {
 public:
  virtual ~RequestStream() = default;

  // Blocks while the peer does not keep up. False when the call is over: Finish says why.
  virtual bool Send(const google::protobuf::MessageLite& message) = 0;
  // As Send, for a message behind which another comes at once, so that both may travel together.
  virtual bool SendAhead(const google::protobuf::MessageLite& message) { return Send(message); }
  // Nothing more comes. Idempotent.
  virtual void HalfClose() = 0;
  // Send and HalfClose in one.
  virtual bool SendLast(const google::protobuf::MessageLite& message) {
    const bool is_sent = Send(message);
    HalfClose();
    return is_sent;
  }
  // Waits for the answer, which it leaves in the `response` the call was opened with. Half-closes
  // first. To be called once.
  virtual Status Finish() = 0;
};

// A call whose response is a stream. Destroyed before Finish, it is cancelled.
// Threads: not thread-safe.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  // False at the end: Finish says whether it is a good one.
  virtual bool Receive(google::protobuf::MessageLite& message) = 0;
  virtual Status Finish() = 0;
};

// Peer: one server, to those that call it.
// Threads   thread-safe.
// Errors    what the handler answered; kUnavailable where the peer is away, kDeadlineExceeded,
//           kCancelled. After one of these three the call may or may not have been carried out.
class Peer {
 public:
  virtual ~Peer() = default;

  virtual Status Call(std::string_view method,
                      const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& response,
                      const CallOptions& options) = 0;
  // `response` must outlive the stream.
  virtual std::unique_ptr<RequestStream> OpenRequestStream(std::string_view method,
                                                           google::protobuf::MessageLite& response,
                                                           const CallOptions& options) = 0;
  virtual std::unique_ptr<ResponseStream> OpenResponseStream(
      std::string_view method,
      const google::protobuf::MessageLite& request,
      const CallOptions& options) = 0;

  // Gives a connection that was lost up to `timeout` to come back; returns at once where it stands
  // or was never used. For before a call that is tried again.
  virtual void AwaitReconnect(std::chrono::milliseconds timeout) = 0;
};

// Transport: the way to peers. Threads: thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;

  // A peer by its address, HOST:PORT. Makes no connection yet and does not block. Every call gives
  // a connection of its own; keep it for as long as the peer matters.
  virtual std::shared_ptr<Peer> Connect(const std::string& address) = 0;
};

}  // namespace slipstream::rpc
