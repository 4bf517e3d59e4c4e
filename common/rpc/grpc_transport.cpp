#include "common/rpc/grpc_transport.h"

#include <stop_token>
#include <string>
#include <utility>

#include <google/protobuf/message_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include "common/check/check.h"
#include "common/rpc/call_trace.h"
#include "common/rpc/channel.h"
#include "common/rpc/connect_error.h"
#include "common/rpc/credentials.h"
#include "common/rpc/status_map.h"

// Calls are made with the templates that generated stubs are made of, on messages' base class: one
// instantiation for all methods.

namespace slipstream::rpc {
namespace {

using google::protobuf::MessageLite;
using grpc::internal::RpcMethod;
using std::chrono::milliseconds;

// What a peer and its calls share: copied into each call, as cheaply as two counters go up.
struct Connection {
  std::shared_ptr<grpc::Channel> channel;      // shared with the calls that gRPC has under way
  std::shared_ptr<const std::string> tls_dir;  // shared with the transport

  Status Outcome(const grpc::Status& status) const {
    return ExplainConnectError(FromGrpc(status), *tls_dir);
  }
};

// A call's context, cancelled when its caller's stop is triggered.
class CallContext final {
 public:
  CallContext(const CallOptions& options, const Connection& connection)
      : cancel_(options.stop, Cancel{.context = &context_}) {
    SetTimeout(context_, options.timeout);
    AddTrace(context_);
    if (!options.user.empty()) context_.AddMetadata(kUserMetadata, std::string(options.user));
    if (!options.token.empty() && !connection.tls_dir->empty()) {
      context_.AddMetadata(kAuthorizationMetadata,
                           std::string(kBearerScheme).append(options.token));
    }
  }

  grpc::ClientContext* get() { return &context_; }
  void TryCancel() { context_.TryCancel(); }

 private:
  struct Cancel {
    grpc::ClientContext* context;
    void operator()() const { context->TryCancel(); }
  };

  grpc::ClientContext context_;
  std::stop_callback<Cancel> cancel_;  // last: it uses the context
};

// A method of a call, with the name that it points to.
class Method final {
 public:
  Method(std::string_view name, RpcMethod::RpcType type)
      : name_(name), method_(name_.c_str(), type) {}
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  const RpcMethod& get() const { return method_; }

 private:
  const std::string name_;
  const RpcMethod method_;
};

class GrpcRequestStream final : public RequestStream {
 public:
  GrpcRequestStream(Connection connection,
                    std::string_view method,
                    MessageLite& response,
                    const CallOptions& options)
      : connection_(std::move(connection)),
        response_(response),
        context_(options, connection_),
        method_(method, RpcMethod::CLIENT_STREAMING) {}

  ~GrpcRequestStream() override {
    if (is_finished_ || writer_ == nullptr) return;
    context_.TryCancel();
    (void)writer_->Finish();  // the answer is not written to any more once this has returned
  }

  bool Send(const MessageLite& message) override { return Write(message, grpc::WriteOptions()); }
  bool SendAhead(const MessageLite& message) override {
    return Write(message, grpc::WriteOptions().set_buffer_hint());
  }
  bool SendLast(const MessageLite& message) override {
    const bool is_sent = Write(message, grpc::WriteOptions().set_last_message());
    is_half_closed_ = true;
    return is_sent;
  }

  void HalfClose() override {
    if (std::exchange(is_half_closed_, true)) return;
    if (writer_ == nullptr) Open();
    (void)writer_->WritesDone();  // Finish says what went wrong
  }

  Status Finish() override {
    SLIPSTREAM_CHECK(!is_finished_, "a call ends once");
    HalfClose();
    is_finished_ = true;
    return connection_.Outcome(writer_->Finish());
  }

 private:
  void Open() {
    writer_.reset(grpc::internal::ClientWriterFactory<MessageLite>::Create(
        connection_.channel.get(), method_.get(), context_.get(), &response_));
  }

  bool Write(const MessageLite& message, const grpc::WriteOptions& options) {
    SLIPSTREAM_CHECK(!is_half_closed_, "a message after the last");
    if (writer_ == nullptr) {
      // The call's beginning travels with its first message. A stream that ends without one begins
      // by itself: gRPC would not send its beginning at all.
      context_.get()->set_initial_metadata_corked(true);
      Open();
    }
    return writer_->Write(message, options);
  }

  const Connection connection_;
  MessageLite& response_;
  CallContext context_;
  const Method method_;
  std::unique_ptr<grpc::ClientWriter<MessageLite>> writer_;  // null: not begun
  bool is_half_closed_ = false;
  bool is_finished_ = false;
};

class GrpcResponseStream final : public ResponseStream {
 public:
  GrpcResponseStream(Connection connection,
                     std::string_view method,
                     const MessageLite& request,
                     const CallOptions& options)
      : connection_(std::move(connection)),
        context_(options, connection_),
        method_(method, RpcMethod::SERVER_STREAMING),
        reader_(grpc::internal::ClientReaderFactory<MessageLite>::Create(
            connection_.channel.get(), method_.get(), context_.get(), request)) {}

  ~GrpcResponseStream() override {
    if (is_finished_) return;
    context_.TryCancel();
    (void)reader_->Finish();
  }

  bool Receive(MessageLite& message) override { return reader_->Read(&message); }

  Status Finish() override {
    SLIPSTREAM_CHECK(!is_finished_, "a call ends once");
    is_finished_ = true;
    return connection_.Outcome(reader_->Finish());
  }

 private:
  const Connection connection_;
  CallContext context_;
  const Method method_;
  const std::unique_ptr<grpc::ClientReader<MessageLite>> reader_;
  bool is_finished_ = false;
};

class GrpcPeer final : public Peer {
 public:
  explicit GrpcPeer(Connection connection) : connection_(std::move(connection)) {}

  Status Call(std::string_view method,
              const MessageLite& request,
              MessageLite& response,
              const CallOptions& options) override {
    CallContext context(options, connection_);
    const Method unary(method, RpcMethod::NORMAL_RPC);
    return connection_.Outcome(grpc::internal::BlockingUnaryCall<MessageLite, MessageLite>(
        connection_.channel.get(), unary.get(), context.get(), request, &response));
  }

  std::unique_ptr<RequestStream> OpenRequestStream(std::string_view method,
                                                   MessageLite& response,
                                                   const CallOptions& options) override {
    return std::make_unique<GrpcRequestStream>(connection_, method, response, options);
  }

  std::unique_ptr<ResponseStream> OpenResponseStream(std::string_view method,
                                                     const MessageLite& request,
                                                     const CallOptions& options) override {
    return std::make_unique<GrpcResponseStream>(connection_, method, request, options);
  }

  void AwaitReconnect(milliseconds timeout) override {
    rpc::AwaitReconnect(*connection_.channel, timeout);
  }

 private:
  const Connection connection_;
};

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(const std::string& tls_dir)
      : tls_dir_(std::make_shared<const std::string>(tls_dir)),
        credentials_(MakeChannelCredentials(tls_dir)) {}

  std::shared_ptr<Peer> Connect(const std::string& address) override {
    return std::make_shared<GrpcPeer>(
        Connection{.channel = MakeChannel(address, credentials_), .tls_dir = tls_dir_});
  }

 private:
  const std::shared_ptr<const std::string> tls_dir_;             // shared with the connections
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;  // shared with the channels
};

}  // namespace

std::shared_ptr<Transport> MakeGrpcTransport(const std::string& tls_dir) {
  return std::make_shared<GrpcTransport>(tls_dir);
}

}  // namespace slipstream::rpc
