#pragma once

#include <stop_token>
#include <string>

#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/planner/planner.h"
#include "processor/sql/statement_splitter.h"

namespace slipstream::processor {

// SqlSession: statements one after another, each run to its end before the next is planned. Tables,
// views and settings last as long as the session.
//
// Rows and answers go to stdout. A SELECT over input that ends is shown whole, as `processor query`
// shows it; one over input that does not, line by line as rows come, with a column that says how
// each changes the result where earlier rows change. It is a job of its own, of which nothing stays
// in Kafka. An INSERT is a job as `processor run` has it, named by 'pipeline.name' or else
// insert-into-<table>: run again, it goes on where it was.
// Threads   one at a time.
// Blocking  Run, until the statement has ended or was stopped.
class SqlSession {
 public:
  // Borrows the flags.
  explicit SqlSession(const SqlFlags& flags);

  // Declares the tables of the --catalog files.
  Status LoadCatalogs();

  // Runs one statement of the text called `name` in messages. `stop` ends what runs; that it did is
  // no error. Errors: of the text with its place, and whatever running met.
  Status Run(const std::string& name,
             const sql::StatementSplitter::Statement& statement,
             const std::stop_token& stop);

 private:
  Status Show(sql::PlanNodePtr query, const sql::Options& settings, const std::stop_token& stop);
  // `text`: what the job says it is.
  Status Insert(const sql::JobPlan& plan,
                const std::string& job,
                const std::string& text,
                const RunFlags& flags,
                const std::stop_token& stop);

  const SqlFlags& flags_;
  sql::Planner planner_;
};

}  // namespace slipstream::processor
