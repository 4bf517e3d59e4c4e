#include "processor/connectors/sink_location.h"

namespace slipstream::runtime {

Result<SinkLocation> ParseSinkLocation(std::string_view path) {
  constexpr std::string_view kDfs = "dfs://";
  constexpr std::string_view kFile = "file://";
  SinkLocation location;
  std::string_view folder = path;
  if (path.starts_with(kDfs)) {
    location.is_dfs = true;
    folder.remove_prefix(kDfs.size());
    const size_t slash = folder.find('/');
    if (slash == std::string_view::npos) {
      return InvalidArgument("file sink path without a folder: " + std::string(path));
    }
    location.authority = std::string(folder.substr(0, slash));
    folder.remove_prefix(slash);
  } else if (path.starts_with(kFile)) {
    folder.remove_prefix(kFile.size());
  }
  if (folder.empty() || folder.front() != '/') {
    return InvalidArgument("file sink path must be dfs:///…, file:///… or /…: " +
                           std::string(path));
  }
  location.folder = std::string(folder);
  if (location.folder.back() != '/') location.folder += '/';
  return location;
}

}  // namespace slipstream::runtime
