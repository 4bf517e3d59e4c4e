#include "gateway/http/connection.h"

#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/tls/server_stream.h"
#include "gateway/http/heads.h"

namespace slipstream::gateway::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr size_t kFirstReadBytes = 2 * 1024;  // what an idle connection holds
constexpr auto kLingerTime = std::chrono::seconds(5);

// Connection: one client. Kept alive by the handlers of its pending operation alone.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket,
             std::shared_ptr<asio::ssl::context> tls,
             ConnectionContext& context)
      : context_(context),
        stream_(std::move(socket), std::move(tls)),
        timer_(context.io),
        id_(++context.last_id) {
    beast::error_code error;
    const tcp::endpoint peer = stream_.socket().remote_endpoint(error);
    if (!error) remote_ = peer.address().to_string();
    stream_.socket().set_option(tcp::no_delay(true), error);
    context_.metrics.connections.Increment();
  }

  ~Connection() {
    SetBusy(false);
    DropBodies();
    context_.open.erase(id_);
    context_.metrics.connections.Decrement();
    if (context_.is_draining && context_.open.empty() && context_.on_none_open) {
      context_.on_none_open();
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start() {
    context_.open.emplace(id_, [weak = weak_from_this()] {
      const std::shared_ptr<Connection> self = weak.lock();
      if (self == nullptr) return;
      const bool is_endless = self->response_.source_period.count() > 0;
      if (self->is_idle_ || is_endless) self->Close();
    });
    is_idle_ = true;
    stream_.expires_after(context_.limits.head_timeout);
    stream_.AsyncAccept([self = shared_from_this()](const beast::error_code& error) {
      self->is_idle_ = false;
      if (error == beast::error::timeout) self->context_.metrics.timeouts.Increment();
      if (!error) self->AwaitRequest();
    });
  }

 private:
  using Self = std::shared_ptr<Connection>;

  // Runs `work` on a thread of the pool, then `then` in the loop with what came of it. It is the
  // loop's thread that lets go of the connection, whatever happens in between.
  template <class Work, class Then>
  void RunOn(asio::thread_pool& pool, Work work, Then then) {
    asio::post(pool, [self = shared_from_this(), work = std::move(work), then]() mutable {
      auto result = work(*self);
      asio::io_context& io = self->context_.io;
      asio::post(io, [self = std::move(self), then, result = std::move(result)]() mutable {
        then(*self, std::move(result));
      });
    });
  }

  // ---- A request's head ----

  void AwaitRequest() {
    if (context_.is_draining) return Close();
    parser_.emplace();
    parser_->header_limit(context_.limits.head_bytes_max);
    // Not boost::none: this Beast takes every length for more than none.
    parser_->body_limit(std::numeric_limits<uint64_t>::max());
    if (buffer_.size() > 0) return ReadHead();
    is_idle_ = true;
    buffer_ = beast::flat_buffer(2 * context_.limits.head_bytes_max);
    stream_.expires_after(context_.limits.idle_timeout);
    stream_.async_read_some(
        buffer_.prepare(kFirstReadBytes),
        [self = shared_from_this()](const beast::error_code& error, size_t bytes) {
          self->is_idle_ = false;
          if (error) return;
          self->buffer_.commit(bytes);
          self->ReadHead();
        });
  }

  void ReadHead() {
    stream_.expires_after(context_.limits.head_timeout);
    wire::async_read_header(stream_,
                            buffer_,
                            *parser_,
                            [self = shared_from_this()](const beast::error_code& error, size_t) {
                              self->OnHead(error);
                            });
  }

  void OnHead(const beast::error_code& error) {
    stream_.expires_never();
    if (!error) return Dispatch();
    if (error == beast::error::timeout) context_.metrics.timeouts.Increment();
    // Anything else than bad HTTP is an end of the connection.
    if (error.category() != wire::make_error_code(wire::error::bad_method).category()) return;
    if (error == wire::error::end_of_stream || error == wire::error::partial_message) return;
    const bool is_long = error == wire::error::header_limit;
    is_last_ = true;
    SetBusy(true);
    Respond({.code = is_long ? 431 : 400,
             .content_type = "text/plain; charset=utf-8",
             .body = "not understood: " + error.message() + "\n"});
  }

  void Dispatch() {
    const auto& head = parser_->get();
    request_ = http::ReadHead(head);
    request_.remote = remote_;
    request_.is_over_tls = stream_.is_over_tls();
    request_.has_body = !parser_->is_done();
    if (!request_.has_body) request_.body_bytes = 0;
    if (const auto length = parser_->content_length()) request_.body_bytes = *length;
    is_last_ = !head.keep_alive();
    SetBusy(true);
    RunOn(
        context_.quick,
        [](Connection& self) { return self.context_.handler.Handle(self.request_); },
        [](Connection& self, Answer answer) { self.Take(std::move(answer)); });
  }

  void Take(Answer answer) {
    if (auto* response = std::get_if<Response>(&answer)) return Respond(std::move(*response));
    if (auto* deferred = std::get_if<Deferred>(&answer)) {
      return RunOn(
          context_.slow,
          [work = std::move(deferred->work)](Connection&) { return work(); },
          [](Connection& self, Response response) { self.Respond(std::move(response)); });
    }
    auto& upload = std::get<Upload>(answer);
    sink_ = std::move(upload.sink);
    TakeMemory(upload.memory_bytes, [](const Self& self) { self->StartUpload(); });
  }

  // ---- Memory ----

  void TakeMemory(uint64_t bytes, std::function<void(const Self&)> then) {
    is_waiting_ = true;
    timer_.expires_after(context_.limits.memory_wait_timeout);
    timer_.async_wait([self = shared_from_this()](const beast::error_code& error) {
      if (error || !std::exchange(self->is_waiting_, false)) return;
      self->waiting_ = {};
      self->context_.metrics.overloads.Increment();
      self->DropBodies();
      self->Respond(self->context_.handler.Overloaded(self->request_));
    });
    // The timer keeps this connection, not the budget, which outlives the loop. Granted out of
    // another connection's end: not in the middle of that.
    waiting_ = context_.budget.Reserve(
        bytes, [weak = weak_from_this(), then = std::move(then)](MemoryBudget::Share share) {
          const Self self = weak.lock();
          if (self == nullptr) return;
          asio::post(self->context_.io, [self, then, share = std::move(share)]() mutable {
            if (!std::exchange(self->is_waiting_, false)) return;
            self->timer_.cancel();
            self->share_ = std::move(share);
            self->context_.metrics.reserved_bytes.Increment(
                static_cast<double>(self->share_.bytes()));
            then(self);
          });
        });
  }

  // Sink and source may block in their destructors; their memory is free only then.
  void DropBodies() {
    if (sink_ == nullptr && response_.source == nullptr && share_.bytes() == 0) return;
    context_.metrics.reserved_bytes.Decrement(static_cast<double>(share_.bytes()));
    asio::post(context_.slow,
               [&io = context_.io,
                sink = std::move(sink_),
                source = std::move(response_.source),
                share = std::move(share_)]() mutable {
                 sink.reset();
                 source.reset();
                 asio::post(io, [share = std::move(share)] {});
               });
  }

  // ---- The body of a request ----

  void StartUpload() {
    chunk_.resize(kReceiveBytes);
    buffer_.reserve(kReceiveBytes);
    const bool is_awaited =
        beast::iequals(parser_->get()[wire::field::expect], "100-continue") && !parser_->is_done();
    if (!is_awaited) return Receive();
    static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(context_.limits.send_timeout);
    asio::async_write(stream_,
                      asio::buffer(kContinue, sizeof(kContinue) - 1),
                      [self = shared_from_this()](const beast::error_code& error, size_t) {
                        if (!error) self->Receive();
                      });
  }

  void Receive() {
    if (parser_->is_done()) return FinishUpload();
    auto& body = parser_->get().body();
    body.data = chunk_.data();
    body.size = chunk_.size();
    stream_.expires_after(context_.limits.receive_timeout);
    wire::async_read(stream_,
                     buffer_,
                     *parser_,
                     [self = shared_from_this()](const beast::error_code& error, size_t) {
                       self->OnReceived(error);
                     });
  }

  void OnReceived(const beast::error_code& error) {
    if (error == beast::error::timeout) context_.metrics.timeouts.Increment();
    if (error && error != wire::error::need_buffer) return;  // broken off: the sink ends unfinished
    stream_.expires_never();
    const size_t bytes = chunk_.size() - parser_->get().body().size;
    context_.metrics.bytes_received.Increment(static_cast<double>(bytes));
    RunOn(
        context_.slow,
        [bytes](Connection& self) {
          auto refusal = self.sink_->Write({self.chunk_.data(), bytes});
          if (refusal.has_value()) self.sink_.reset();
          return refusal;
        },
        [](Connection& self, std::optional<Response> refusal) {
          if (refusal.has_value()) return self.Respond(std::move(*refusal));
          self.Receive();
        });
  }

  void FinishUpload() {
    RunOn(
        context_.slow,
        [](Connection& self) {
          Response response = self.sink_->Finish();
          self.sink_.reset();
          return response;
        },
        [](Connection& self, Response response) { self.Respond(std::move(response)); });
  }

  // ---- The answer ----

  void Respond(Response response) {
    chunk_ = {};
    response_ = std::move(response);
    // What of the body was not read stands before the next request.
    if (!parser_->is_done()) is_last_ = true;
    if (context_.is_draining) is_last_ = true;
    if (response_.source != nullptr && share_.bytes() == 0 && response_.memory_bytes > 0) {
      return TakeMemory(response_.memory_bytes, [](const Self& self) { self->SendHead(); });
    }
    SendHead();
  }

  void SendHead() {
    stream_.expires_after(context_.limits.send_timeout);
    if (response_.source == nullptr) return SendText();
    // A client of HTTP/1.0 knows no chunks: it reads to the end of the connection.
    const bool is_old = parser_->get().version() < 11;
    is_chunked_ = !response_.source_bytes.has_value() && !is_old;
    if (!response_.source_bytes.has_value() && is_old) is_last_ = true;
    head_ = MakeStreamHead(response_, !is_last_);
    if (response_.source_bytes.has_value()) head_->content_length(*response_.source_bytes);
    if (is_chunked_) head_->chunked(true);
    head_serializer_.emplace(*head_);
    wire::async_write_header(stream_,
                             *head_serializer_,
                             [self = shared_from_this()](const beast::error_code& error, size_t) {
                               if (error) return;
                               if (self->request_.method == "HEAD") return self->OnAnswered();
                               self->Fetch();
                             });
  }

  void SendText() {
    text_ = MakeTextHead(response_, !is_last_);
    text_->content_length(response_.body.size());
    if (request_.method != "HEAD") text_->body() = std::move(response_.body);
    wire::async_write(
        stream_, *text_, [self = shared_from_this()](const beast::error_code& error, size_t) {
          if (!error) self->OnAnswered();
        });
  }

  void Fetch() {
    RunOn(
        context_.slow,
        [](Connection& self) { return self.response_.source->Next(); },
        [](Connection& self, Result<std::string> chunk) {
          self.fetched_ = std::move(chunk);
          self.SendFetched();
        });
  }

  void SendFetched() {
    if (is_sending_ || !fetched_.has_value()) return;
    Result<std::string> chunk = std::move(*fetched_);
    fetched_.reset();
    if (!chunk.ok()) {
      log::Get("gateway.http")
          ->warn("download_broken_off path={} error={}",
                 log::Quoted(request_.path),
                 log::Quoted(chunk.status().ToString()));
      return Close();
    }
    outgoing_ = std::move(*chunk);
    sent_bytes_ += outgoing_.size();
    if (response_.source_bytes.has_value() && sent_bytes_ > *response_.source_bytes) return Close();
    if (outgoing_.empty()) return FinishSource();
    is_sending_ = true;
    const bool is_periodic = response_.source_period.count() > 0;
    if (!is_periodic) Fetch();
    const auto on_sent = [self = shared_from_this(), is_periodic](const beast::error_code& error,
                                                                  size_t) {
      self->is_sending_ = false;
      if (error == beast::error::timeout) self->context_.metrics.timeouts.Increment();
      if (error) return self->Close();
      if (is_periodic) return self->FetchLater();
      self->SendFetched();
    };
    stream_.expires_after(context_.limits.send_timeout);
    if (is_chunked_) {
      asio::async_write(stream_,
                        wire::make_chunk(asio::const_buffer(outgoing_.data(), outgoing_.size())),
                        on_sent);
    } else {
      asio::async_write(stream_, asio::buffer(outgoing_), on_sent);
    }
  }

  void FetchLater() {
    if (context_.is_draining) return Close();
    stream_.expires_never();
    timer_.expires_after(response_.source_period);
    timer_.async_wait([self = shared_from_this()](const beast::error_code& error) {
      if (!error) self->Fetch();
    });
  }

  void FinishSource() {
    context_.metrics.bytes_sent.Increment(static_cast<double>(sent_bytes_));
    if (response_.source_bytes.value_or(sent_bytes_) != sent_bytes_) return Close();
    if (!is_chunked_) return OnAnswered();
    asio::async_write(stream_,
                      wire::make_chunk_last(),
                      [self = shared_from_this()](const beast::error_code& error, size_t) {
                        if (!error) self->OnAnswered();
                      });
  }

  void OnAnswered() {
    Metrics& metrics = context_.metrics;
    (response_.code < 400   ? metrics.answers_good
     : response_.code < 500 ? metrics.answers_client
                            : metrics.answers_server)
        .Increment();
    if (text_.has_value()) metrics.bytes_sent.Increment(static_cast<double>(text_->body().size()));
    metrics.operations.Count(
        context_.handler.OperationOf(request_), std::to_string(response_.code), BusySeconds());
    SetBusy(false);
    DropBodies();
    const bool is_unread = !parser_->is_done();
    request_ = {};
    response_ = {};
    text_.reset();
    head_serializer_.reset();
    head_.reset();
    sent_bytes_ = 0;
    if (!is_last_) return AwaitRequest();
    stream_.expires_after(kLingerTime);
    stream_.AsyncEnd([self = shared_from_this(), is_unread] {
      if (is_unread) return self->Linger();
      self->Close();
    });
  }

  // ---- The end ----

  // Closing over bytes that were not read would reset the connection, and the answer with it: for a
  // while they are thrown away until the client, which has seen the end of the answer, closes.
  void Linger() {
    chunk_.resize(kReceiveBytes);
    timer_.expires_after(kLingerTime);
    timer_.async_wait([weak = weak_from_this()](const beast::error_code& cancelled) {
      const Self self = weak.lock();
      if (!cancelled && self != nullptr) self->Close();
    });
    stream_.expires_never();
    Discard();
  }

  void Discard() {
    stream_.bottom().async_read_some(
        asio::buffer(chunk_), [self = shared_from_this()](const beast::error_code& error, size_t) {
          if (!error) return self->Discard();
          self->timer_.cancel();
        });
  }

  void Close() {
    beast::error_code ignored;
    timer_.cancel();
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  void SetBusy(bool is_busy) {
    if (is_busy_ == is_busy) return;
    is_busy_ = is_busy;
    if (is_busy) {
      started_at_ = SystemClock::Get().Now();
      context_.metrics.busy_connections.Increment();
      return;
    }
    context_.metrics.request_seconds.Observe(BusySeconds());
    context_.metrics.busy_connections.Decrement();
  }

  double BusySeconds() const {
    const std::chrono::duration<double> taken = SystemClock::Get().Now() - started_at_;
    return taken.count();
  }

  ConnectionContext& context_;
  tls::ServerStream stream_;
  asio::steady_timer timer_;  // of waiting: for memory, for the next chunk, and when lingering
  const uint64_t id_;
  std::string remote_;
  beast::flat_buffer buffer_;
  std::optional<wire::request_parser<wire::buffer_body>> parser_;
  Request request_;
  SteadyTime started_at_;
  bool is_idle_ = false;
  bool is_busy_ = false;
  bool is_last_ = false;  // the connection ends behind this answer

  MemoryBudget::Waiting waiting_;
  MemoryBudget::Share share_;
  bool is_waiting_ = false;

  std::unique_ptr<BodySink> sink_;
  std::vector<char> chunk_;  // of the request's body

  Response response_;
  std::optional<TextResponse> text_;
  std::optional<EmptyResponse> head_;
  std::optional<wire::response_serializer<wire::empty_body>> head_serializer_;
  std::optional<Result<std::string>> fetched_;  // the chunk behind `outgoing_`
  std::string outgoing_;
  uint64_t sent_bytes_ = 0;
  bool is_chunked_ = false;
  bool is_sending_ = false;
};

}  // namespace

void OpenConnection(int socket,
                    bool is_ipv6,
                    std::shared_ptr<asio::ssl::context> tls,
                    ConnectionContext& context) {
  tcp::socket owned(context.io, is_ipv6 ? tcp::v6() : tcp::v4(), socket);
  std::make_shared<Connection>(std::move(owned), std::move(tls), context)->Start();
}

}  // namespace slipstream::gateway::http
