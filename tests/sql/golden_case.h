#pragma once

#include <map>
#include <string>
#include <vector>

// A golden file holds cases:
//
//   === name of the case          (a second word "unbounded" plans it as a streaming job)
//   --- job                       SQL text; or "--- job-file flights_delays.sql", from jobs/
//   --- input                     a record's value a line; @null is a tombstone, @empty no bytes;
//                                 "@key K -> V" is a record with a key; "@now 2024-01-01 00:00:10"
//                                 sets the clock before the records behind it
//   --- input bids                instead: those of the topic "bids", of a job over several; of
//                                 what it writes counts what the changes come to, sorted
//   --- output                    what it writes: "<where>: <what>", grouped by where, in order
//
//   --- query                     a SELECT (with CREATEs before it)
//   --- file dfs:///t/a.jsonl     a file it may read
//   --- result                    its rows as CSV
//
//   --- expressions               "expression => its value", or "… => error: part of the message"
//
//   --- error                     instead of output or result: a part of the message
//
// Lines that begin with # between cases are comments.
namespace slipstream::sql {

struct GoldenCase {
  std::string file;
  std::string name;
  bool is_unbounded = false;
  std::map<std::string, std::vector<std::string>> sections;  // by title: "job", "file dfs:///…"

  bool Has(const std::string& title) const { return sections.count(title) > 0; }
  // The section's lines joined, each with its end.
  std::string Text(const std::string& title) const;
};

// All cases of all *.test files in `folder`, in the order of names and lines.
std::vector<GoldenCase> ReadGoldenCases(const std::string& folder);

}  // namespace slipstream::sql
