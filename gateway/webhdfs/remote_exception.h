#pragma once

#include <string>

#include "common/status/status.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::webhdfs {

// RemoteException: an error as Hadoop's clients expect it: the name of a Java exception, which they
// throw again, its text, and the code of HTTP that goes with it.
struct RemoteException {
  int code = 403;
  std::string java_class;  // "java.io.FileNotFoundException"
  std::string message;

  http::Response ToResponse() const;
};

// The exceptions that are thrown here, each with its code.
RemoteException IllegalArgument(std::string message);
RemoteException Unsupported(std::string message);
RemoteException FileNotFound(std::string message);
RemoteException FileAlreadyExists(std::string message);
RemoteException ParentNotDirectory(std::string message);
RemoteException PathIsNotEmpty(std::string message);
RemoteException AlreadyBeingCreated(std::string message);
RemoteException AccessControl(std::string message);
RemoteException Security(std::string message);
RemoteException Retriable(std::string message);
RemoteException Io(std::string message);

// What an error of the file system is to Hadoop's clients, where the operation on `path` has
// nothing more exact to say.
RemoteException ExceptionFor(const Status& status, const std::string& path);

}  // namespace slipstream::gateway::webhdfs
