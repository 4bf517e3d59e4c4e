#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

// What `hdfs dfs` has and this file system has not: refused by name, so that a script says what it
// lacks instead of "unknown command".

namespace slipstream::dfs::cli {
namespace {

void RefuseSnapshots(Session& session, const Arguments& /*arguments*/) {
  session.Fail("Not supported: this file system has no snapshots");
}

void RefuseLists(Session& session, const Arguments& /*arguments*/) {
  session.Fail("Not supported: this file system has no ACLs");
}

void RefuseAttributes(Session& session, const Arguments& /*arguments*/) {
  session.Fail("Not supported: this file system has no extended attributes");
}

void RefuseMoveToLocal(Session& session, const Arguments& /*arguments*/) {
  session.Fail("Option '-moveToLocal' is not implemented yet.");  // nor is it in HDFS
}

Verb Refused(std::string_view name,
             const char* usage,
             void (*run)(Session& session, const Arguments& arguments)) {
  return {.names = {name},
          .usage = usage,
          .help = "Not supported; known so that it is refused by name.",
          .flags = {},
          .operands = {.flag_rule = Arguments::FlagRule::kUnknownStay},
          .run = run};
}

}  // namespace

std::vector<Verb> RefusedVerbs() {
  return {
      Refused("moveToLocal", "<src> <localdst>", RefuseMoveToLocal),
      Refused("createSnapshot", "<snapshotDir> [<snapshotName>]", RefuseSnapshots),
      Refused("deleteSnapshot", "<snapshotDir> <snapshotName>", RefuseSnapshots),
      Refused("renameSnapshot", "<snapshotDir> <oldName> <newName>", RefuseSnapshots),
      Refused("getfacl", "[-R] <path>", RefuseLists),
      Refused("setfacl", "[-R] [{-b|-k} {-m|-x <acl_spec>} <path>]", RefuseLists),
      Refused("getfattr", "[-R] {-n name | -d} [-e en] <path>", RefuseAttributes),
      Refused("setfattr", "{-n name [-v value] | -x name} <path>", RefuseAttributes),
  };
}

}  // namespace slipstream::dfs::cli
