#include "dfs-client/master_connection.h"

#include <algorithm>
#include <utility>

#include <google/protobuf/message_lite.h>

#include "common/rpc/retry.h"
#include "dfs-client/notices.h"

namespace slipstream::dfs {
namespace {

using google::protobuf::MessageLite;
using std::chrono::milliseconds;

// Short, since meanwhile nothing stops the wait; the retries add up.
constexpr milliseconds kReconnectTimeout{500};

}  // namespace

MasterConnection::MasterConnection(Options options, rpc::Transport& transport, Notices& notices)
    : options_(std::move(options)),
      notices_(notices),
      token_(options_.token_file),
      peer_(transport.Connect(options_.address)) {}

Status MasterConnection::Attempt(std::string_view method,
                                 const MessageLite& request,
                                 MessageLite& response,
                                 milliseconds timeout) {
  peer_->AwaitReconnect(std::min(timeout, kReconnectTimeout));
  const std::string token = token_.Get();
  Status status = peer_->Call(
      method,
      request,
      response,
      {.timeout = timeout, .stop = options_.stop, .user = options_.user, .token = token});
  if (status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded) {
    return status.WithContext("master " + options_.address);
  }
  return status;
}

Status MasterConnection::CallOnce(std::string_view method,
                                  const MessageLite& request,
                                  MessageLite& response,
                                  milliseconds timeout) {
  const bool is_default = timeout == milliseconds(0);
  return Attempt(method, request, response, is_default ? options_.attempt_timeout : timeout);
}

Status MasterConnection::Call(std::string_view method,
                              const MessageLite& request,
                              MessageLite& response) {
  const rpc::RetryOptions retry{
      .timeout = options_.timeout,
      .attempt_timeout_max = options_.attempt_timeout,
      .seed = options_.seed,
      .stop = options_.stop,
      .on_retry = [&](const Status& why) { notices_.Say("waiting for the " + why.message()); },
      .clock = options_.clock,
      .sleeper = options_.sleeper};
  return rpc::Retry(retry, [&](milliseconds attempt_timeout) {
    return Attempt(method, request, response, attempt_timeout);
  });
}

}  // namespace slipstream::dfs
