#include "common/rpc/status_map.h"

#include <grpcpp/support/status.h>

namespace slipstream::rpc {
namespace {

constexpr bool Agree(Code ours, grpc::StatusCode theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}

static_assert(Agree(Code::kOk, grpc::OK));
static_assert(Agree(Code::kCancelled, grpc::CANCELLED));
static_assert(Agree(Code::kUnknown, grpc::UNKNOWN));
static_assert(Agree(Code::kInvalidArgument, grpc::INVALID_ARGUMENT));
static_assert(Agree(Code::kDeadlineExceeded, grpc::DEADLINE_EXCEEDED));
static_assert(Agree(Code::kNotFound, grpc::NOT_FOUND));
static_assert(Agree(Code::kAlreadyExists, grpc::ALREADY_EXISTS));
static_assert(Agree(Code::kPermissionDenied, grpc::PERMISSION_DENIED));
static_assert(Agree(Code::kResourceExhausted, grpc::RESOURCE_EXHAUSTED));
static_assert(Agree(Code::kFailedPrecondition, grpc::FAILED_PRECONDITION));
static_assert(Agree(Code::kAborted, grpc::ABORTED));
static_assert(Agree(Code::kOutOfRange, grpc::OUT_OF_RANGE));
static_assert(Agree(Code::kUnimplemented, grpc::UNIMPLEMENTED));
static_assert(Agree(Code::kInternal, grpc::INTERNAL));
static_assert(Agree(Code::kUnavailable, grpc::UNAVAILABLE));
static_assert(Agree(Code::kDataLoss, grpc::DATA_LOSS));
static_assert(Agree(Code::kUnauthenticated, grpc::UNAUTHENTICATED));

}  // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), status.message()};
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return {};
  int code = status.error_code();
  // A server of another make may send a number we have no name for.
  if (code < 0 || code > static_cast<int>(Code::kUnauthenticated))
    return {Code::kUnknown, status.error_message()};
  return {static_cast<Code>(code), status.error_message()};
}

}  // namespace slipstream::rpc
