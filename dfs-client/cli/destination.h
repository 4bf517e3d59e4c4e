#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/cli/session.h"

// Where put, get, cp and mv go to, by the HDFS shell's rules: several sources need a directory;
// one source goes into a directory that is there, else becomes the destination.

namespace slipstream::dfs::cli {

// The last operand of a verb that copies or moves, in the file system or on this machine.
struct Destination {
  enum class Kind { kMissing, kFile, kDirectory };

  std::string shown;  // as the user wrote it
  std::string path;
  Kind kind = Kind::kMissing;
  bool has_parent = false;
  std::string full_name;  // with scheme, for messages

  bool is_directory() const { return kind == Kind::kDirectory; }
  // The place for something called `name`, and how it is shown.
  std::string PathFor(const std::string& name) const;
  std::string ShownFor(const std::string& name) const;
};

// The remote one; a pattern must match exactly one. Errors are reported: nothing then.
std::optional<Destination> RemoteDestination(Session& session, const std::string& operand);
Destination LocalDestination(const std::string& operand);

// Whether `sources` things may go there; if not, says why.
enum class Existing { kRefuse, kReplace };
bool CheckDestination(Session& session,
                      const Destination& destination,
                      size_t sources,
                      Existing existing);

// A source in the file system: found, or named and not there.
struct Source {
  std::string shown;
  std::optional<Item> item;
};
// All that the operands name. Patterns that match nothing are reported here, names that are not
// there later, by whoever goes through the sources, as HDFS does.
std::vector<Source> ExpandSources(Session& session, std::span<const std::string> operands);

// Operands whose last is the destination; with only one the destination is ".".
struct CopyOperands {
  std::vector<std::string> sources;
  std::string destination;
};
CopyOperands SplitOperands(const std::vector<std::string>& operands);

// "name" below ".", else "directory/name".
std::string ChildShown(const std::string& directory, const std::string& name);

}  // namespace slipstream::dfs::cli
