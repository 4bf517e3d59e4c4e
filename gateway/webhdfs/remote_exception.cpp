#include "gateway/webhdfs/remote_exception.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::webhdfs {

http::Response RemoteException::ToResponse() const {
  const nlohmann::ordered_json json = {
      {"RemoteException",
       {{"exception", java_class.substr(java_class.rfind('.') + 1)},
        {"javaClassName", java_class},
        {"message", message}}}};
  return {.code = code,
          .content_type = "application/json",
          // Messages may hold what a client sent.
          .body = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

RemoteException IllegalArgument(std::string message) {
  return {400, "java.lang.IllegalArgumentException", std::move(message)};
}

RemoteException Unsupported(std::string message) {
  return {400, "java.lang.UnsupportedOperationException", std::move(message)};
}

RemoteException FileNotFound(std::string message) {
  return {404, "java.io.FileNotFoundException", std::move(message)};
}

RemoteException FileAlreadyExists(std::string message) {
  return {403, "org.apache.hadoop.fs.FileAlreadyExistsException", std::move(message)};
}

RemoteException ParentNotDirectory(std::string message) {
  return {403, "org.apache.hadoop.fs.ParentNotDirectoryException", std::move(message)};
}

RemoteException PathIsNotEmpty(std::string message) {
  return {403, "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException", std::move(message)};
}

RemoteException AlreadyBeingCreated(std::string message) {
  return {403, "org.apache.hadoop.hdfs.protocol.AlreadyBeingCreatedException", std::move(message)};
}

RemoteException AccessControl(std::string message) {
  return {403, "org.apache.hadoop.security.AccessControlException", std::move(message)};
}

RemoteException Security(std::string message) {
  return {403, "java.lang.SecurityException", std::move(message)};
}

RemoteException Retriable(std::string message) {
  return {403, "org.apache.hadoop.ipc.RetriableException", std::move(message)};
}

RemoteException Io(std::string message) {
  return {403, "java.io.IOException", std::move(message)};
}

RemoteException ExceptionFor(const Status& status, const std::string& path) {
  switch (status.code()) {
    case Code::kNotFound:
      return FileNotFound("File does not exist: " + path);
    case Code::kAlreadyExists:
      return FileAlreadyExists(path + " already exists");
    case Code::kInvalidArgument:
      return IllegalArgument(status.message());
    case Code::kUnimplemented:
      return Unsupported(status.message());
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return AccessControl(status.message());
    case Code::kResourceExhausted:
      return {403, "org.apache.hadoop.hdfs.protocol.QuotaExceededException", status.message()};
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
      return Retriable(status.message());
    case Code::kInternal:
    case Code::kUnknown:
      return {500, "java.lang.RuntimeException", status.message()};
    default:
      return Io(status.message());
  }
}

}  // namespace slipstream::gateway::webhdfs
