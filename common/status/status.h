#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace slipstream {

// The outcome of an operation, for machines. The numbers are gRPC's (common/rpc/status_map.h
// asserts it). Callers branch on these, never on a message:
//   kUnavailable          retry the same call
//   kAborted              retry from the start (lost lease, stale epoch)
//   kFailedPrecondition   do not retry; the state must change first
//   kDataLoss             a checksum or a format does not hold
enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "not_found", "data_loss", …: as it stands in logs.
std::string_view CodeName(Code code);

// Status: a code and, unless it is kOk, a message for people: lower case, no trailing stop,
// `key=value` for facts, outer context first: "read block id=42: open /d/2a/42.zst: no such file".
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same code, with "context: " before the message. No effect on an OK status.
  Status WithContext(std::string_view context) const;

  // "ok", or "not_found: message".
  std::string ToString() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// Result<T>: a T or the Status that says why there is none. Wraps tl::expected so that a dropped
// result is a warning.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Status> {
  using Base = tl::expected<T, Status>;

 public:
  using Base::Base;
  Result(Status error)  // NOLINT(google-explicit-constructor): `return NotFound(…)`
      : Base(tl::unexpect, std::move(error)) {}
  Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor): as above

  bool ok() const { return this->has_value(); }
  // The error, or an OK status where there is a value.
  Status status() const { return ok() ? Status() : this->error(); }
};

// One constructor for each code that is made in more than a few places.
Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status AlreadyExists(std::string message);
Status FailedPrecondition(std::string message);
Status ResourceExhausted(std::string message);
Status Aborted(std::string message);
Status OutOfRange(std::string message);
Status Unimplemented(std::string message);
Status Internal(std::string message);
Status Unavailable(std::string message);
Status DataLoss(std::string message);
Status DeadlineExceeded(std::string message);
Status Cancelled(std::string message);

// The status for a failed system call: `context` and the text of `error_number`.
Status ErrnoStatus(int error_number, std::string_view context);

}  // namespace slipstream

#define SLIPSTREAM_CONCAT_INNER(a, b) a##b
#define SLIPSTREAM_CONCAT(a, b) SLIPSTREAM_CONCAT_INNER(a, b)

// Evaluates an expression of type Status; returns it from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                                         \
  do {                                                                                \
    if (::slipstream::Status status_macro_value = (expr); !status_macro_value.ok()) { \
      return status_macro_value;                                                      \
    }                                                                                 \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): x is the value of a Result, or the error is returned.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(SLIPSTREAM_CONCAT(result_macro_value_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                          \
  if (!result.has_value()) {                     \
    return std::move(result).error();            \
  }                                              \
  lhs = std::move(result).value()
