#include "processor/planner/planner.h"

#include <utility>

#include <fmt/format.h>

#include "processor/expr/function_names.h"
#include "processor/planner/insert_planner.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/session_zone.h"
#include "processor/planner/stream_rules.h"
#include "processor/planner/table_binder.h"
#include "processor/planner/text_table.h"
#include "processor/sql/nearest_name.h"
#include "processor/sql/parser.h"

namespace slipstream::sql {
namespace {

Span SpanOf(const ast::QualifiedName& name) {
  return Join(name.front().at, name.back().at);
}

void NarrowRowsOf(const JobPlan& job) {
  std::vector<PlanNode*> queries;
  for (const InsertPlan& insert : job.inserts)
    queries.push_back(insert.query.get());
  for (const JobPlan::Query& query : job.queries)
    queries.push_back(query.query.get());
  NarrowRows(queries);
}

// Runs the statements of one script, in order.
class ScriptPlanner {
 public:
  ScriptPlanner(PlanContext& context,
                const ast::Script& script,
                const Options& initial_settings,
                JobPlan& job)
      : context_(context),
        script_(script),
        initial_settings_(initial_settings),
        job_(job),
        source_(context, script.source) {}

  void Run() {
    // Settings are for the whole text, wherever they stand.
    for (const ast::Statement& statement : script_.statements) {
      if (const auto* const set = std::get_if<ast::Set>(&statement.node)) Apply(*set);
      if (const auto* const reset = std::get_if<ast::Reset>(&statement.node)) Apply(*reset);
    }
    for (const ast::Statement& statement : script_.statements) {
      at_ = statement.at;
      std::visit([&](const auto& node) { Run(node); }, statement.node);
    }
    NarrowRowsOf(job_);
  }

 private:
  void Run(const ast::CreateTable& create) {
    CheckName(create.name);
    if (Exists(create.name, create.is_temporary, create.if_not_exists)) return;
    TablePtr base;
    if (create.like) {
      CheckName(create.like->table);
      FindDeclared(create.like->table, false);
      base = std::get<TablePtr>(*context_.catalog().Find(create.like->table.back().text));
    } else if (create.query) {
      base = TableOf(*create.query);
    }
    context_.catalog().Add(create.name.back().text,
                           BindTable(context_, create, base.get()),
                           create.is_temporary,
                           Written());
    if (create.query) {
      Run(ast::Insert{.table = create.name, .options = {}, .columns = {}, .query = create.query});
    }
  }

  // A table of the query's columns.
  TablePtr TableOf(const ast::Query& query) {
    const Relation relation = QueryPlanner(context_).Plan(query);
    auto table = std::make_shared<TableDefinition>();
    for (const ScopeColumn& column : relation.columns) {
      DataType type = column.type;
      if (type.kind == TypeKind::kNull) type = DataType::String();
      table->physical.push_back(table->schema.size());
      table->schema.push_back({column.name, std::move(type)});
    }
    return table;
  }

  void Run(const ast::CreateView& create) {
    CheckName(create.name);
    if (Exists(create.name, create.is_temporary, create.if_not_exists)) return;
    const Relation relation = QueryPlanner(context_).Plan(*create.query);
    if (!create.columns.empty() && create.columns.size() != relation.columns.size()) {
      context_.Fail(
          create.columns.front().at,
          fmt::format("{} names for {} columns", create.columns.size(), relation.columns.size()));
    }
    auto view = std::make_shared<ViewDefinition>();
    view->name = create.name.back().text;
    view->columns = create.columns;
    view->query = create.query;
    view->source = script_.source;
    context_.catalog().Add(view->name, ViewPtr(view), create.is_temporary, Written());
  }

  void Run(const ast::Drop& drop) {
    CheckName(drop.name);
    const std::string& name = drop.name.back().text;
    if (drop.if_exists && context_.catalog().Find(name) == nullptr) return;
    FindDeclared(drop.name, drop.is_view);
    const char* const kind = drop.is_view ? "view" : "table";
    const bool is_temporary = context_.catalog().Contains(name, true);
    if (is_temporary != drop.is_temporary) {
      context_.Fail(
          SpanOf(drop.name),
          fmt::format("the {} \"{}\" is {}temporary", kind, name, is_temporary ? "" : "not "),
          fmt::format(
              "DROP {}{} …", is_temporary ? "TEMPORARY " : "", drop.is_view ? "VIEW" : "TABLE"));
    }
    context_.catalog().Remove(name, is_temporary);
  }

  void Run(const ast::Set&) {}

  void Apply(const ast::Set& set) {
    if (set.key.text.empty()) context_.Fail(set.key.at, "a setting has a name");
    if (set.key.text == kAggregatePhases && set.value != "AUTO" && set.value != "ONE_PHASE" &&
        set.value != "TWO_PHASE") {
      context_.Fail(set.key.at,
                    fmt::format("'{}' is AUTO, ONE_PHASE or TWO_PHASE", kAggregatePhases));
    }
    if (set.key.text == kLocalTimeZone) context_.ZoneNamed(set.value, set.key.at);
    job_.settings[set.key.text] = set.value;
  }

  void Run(const ast::Reset&) {}

  void Apply(const ast::Reset& reset) {
    if (!reset.key) {
      job_.settings = initial_settings_;
      return;
    }
    const auto initial = initial_settings_.find(reset.key->text);
    if (initial == initial_settings_.end()) {
      job_.settings.erase(reset.key->text);
    } else {
      job_.settings[initial->first] = initial->second;
    }
  }

  void Run(const ast::ShowSettings&) {
    std::string lines;
    for (const auto& [key, value] : job_.settings)
      lines += fmt::format("{}'{}' = '{}'", lines.empty() ? "" : "\n", key, value);
    job_.explanations.push_back(std::move(lines));
  }

  void Run(const ast::Insert& insert) { job_.inserts.push_back(PlanInsert(context_, insert)); }

  void Run(const ast::StatementSet& set) {
    for (const ast::Insert& insert : set.inserts)
      Run(insert);
  }

  void Run(const ast::QueryPtr& query) { job_.queries.push_back({PlanQuery(*query)}); }

  void Run(const ast::ShowTables& show) {
    std::string names;
    for (const std::string& name : context_.catalog().Names()) {
      const Catalog::Entry& entry = *context_.catalog().Find(name);
      if (show.views_only && !std::holds_alternative<ViewPtr>(entry)) continue;
      names += (names.empty() ? "" : "\n") + name;
    }
    job_.explanations.push_back(std::move(names));
  }

  void Run(const ast::ShowFunctions&) {
    std::string lines;
    for (const std::string& name : FunctionNames())
      lines += (lines.empty() ? "" : "\n") + name;
    job_.explanations.push_back(std::move(lines));
  }

  void Run(const ast::ShowCreate& show) {
    FindDeclared(show.name, show.is_view);
    job_.explanations.push_back(context_.catalog().DefinitionOf(show.name.back().text));
  }

  void Run(const ast::Describe& describe) {
    const Catalog::Entry* const entry = context_.catalog().Find(describe.name.back().text);
    if (entry != nullptr && std::holds_alternative<ViewPtr>(*entry)) {
      const ViewPtr view = std::get<ViewPtr>(*entry);
      job_.explanations.push_back(DescribeView(*view));
      return;
    }
    job_.explanations.push_back(
        DescribeTable(*QueryPlanner(context_).FindTable(describe.name, {})));
  }

  void Run(const ast::ShowDefault& show) { job_.explanations.emplace_back(show.name); }

  void Run(const ast::Use&) {}

  void Run(const ast::Explain& explain) {
    JobPlan job;  // as if it were one of its own
    std::string text;
    if (const auto* const query = std::get_if<ast::QueryPtr>(&explain.statement)) {
      job.queries.push_back({InsertExchanges(PlanQuery(**query), context_.exchange_options())});
      NarrowRowsOf(job);
      text = sql::Explain(*job.queries.front().query);
    } else if (const auto* const single = std::get_if<ast::Insert>(&explain.statement)) {
      job.inserts.push_back(PlanInsert(context_, *single));
    } else {
      for (const ast::Insert& one : std::get<ast::StatementSet>(explain.statement).inserts)
        job.inserts.push_back(PlanInsert(context_, one));
    }
    if (!job.inserts.empty()) NarrowRowsOf(job);
    for (const InsertPlan& insert : job.inserts)
      text += sql::Explain(insert);
    job_.explanations.push_back(std::move(text));
  }

  PlanNodePtr PlanQuery(const ast::Query& query) {
    PlanNodePtr node = context_.InZone(QueryPlanner(context_).Plan(query).node);
    if (const TimeZonePtr zone = context_.zone()) node = ShowInZone(std::move(node), *zone);
    node = Optimize(std::move(node), context_.every_input_is_bounded());
    CheckStream(context_, query.at, *node);
    return node;
  }

  std::string DescribeView(const ViewDefinition& view) {
    const PlanContext::SourceScope scope(context_, view.source);
    const Relation relation = QueryPlanner(context_).Plan(*view.query);
    TextTable text({"name", "type", "null"});
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      DataType type = relation.columns[i].type;
      const std::string null = type.nullable ? "TRUE" : "FALSE";
      type.nullable = true;
      const bool is_renamed = !view.columns.empty();
      text.AddRow(
          {is_renamed ? view.columns[i].text : relation.columns[i].name, type.ToString(), null});
    }
    return text.Render();
  }

  // Fails unless there is a view, or a table, of that name.
  void FindDeclared(const ast::QualifiedName& name, bool is_view) const {
    CheckName(name);
    const std::string& text = name.back().text;
    const Catalog::Entry* const entry = context_.catalog().Find(text);
    const char* const kind = is_view ? "view" : "table";
    if (entry == nullptr) {
      context_.Fail(SpanOf(name),
                    fmt::format("no {} \"{}\"", kind, text),
                    DidYouMean(text, context_.catalog().Names()));
    }
    if (std::holds_alternative<ViewPtr>(*entry) != is_view) {
      context_.Fail(SpanOf(name), fmt::format("\"{}\" is not a {}", text, kind));
    }
  }

  // The statement at hand as it was written.
  std::string Written() const { return std::string(script_.source->Slice(at_)); }

  void CheckName(const ast::QualifiedName& name) const {
    if (name.size() > 1) {
      context_.Unsupported(SpanOf(name), "catalogs and databases are", "name the table alone");
    }
  }

  bool Exists(const ast::QualifiedName& name, bool is_temporary, bool is_allowed) const {
    if (!context_.catalog().Contains(name.back().text, is_temporary)) return false;
    if (!is_allowed) {
      context_.Fail(SpanOf(name),
                    fmt::format("\"{}\" exists already", name.back().text),
                    "CREATE … IF NOT EXISTS keeps the first");
    }
    return true;
  }

  PlanContext& context_;
  const ast::Script& script_;
  const Options& initial_settings_;
  Span at_;  // of the statement at hand
  JobPlan& job_;
  const PlanContext::SourceScope source_;
};

}  // namespace

Planner::Planner(Options options)
    : initial_settings_(options.settings), options_(std::move(options)) {}

Result<JobPlan> Planner::Plan(const std::string& name, const std::string& text) {
  try {
    const ast::Script script = ParseOrThrow(name, text);
    JobPlan job{.settings = options_.settings};
    PlanContext context(catalog_, options_.every_input_is_bounded, job.settings);
    ScriptPlanner(context, script, initial_settings_, job).Run();
    return job;
  } catch (const SqlError& error) {
    return error.ToStatus();
  }
}

Result<JobPlan> Planner::PlanNext(const std::string& name, const std::string& text) {
  ASSIGN_OR_RETURN(JobPlan job, Plan(name, text));
  options_.settings = job.settings;
  return job;
}

InsertPlan Planner::PlanInto(TablePtr table, PlanNodePtr query, const sql::Options& settings) {
  const PlanContext context(catalog_, options_.every_input_is_bounded, settings);
  InsertPlan plan{.table = std::move(table)};
  plan.columns = plan.table->physical;
  plan.query = InsertExchanges(std::move(query), context.exchange_options());
  return plan;
}

Status Planner::LoadCatalog(const std::string& name, const std::string& text) {
  return PlanNext(name, text).status();
}

}  // namespace slipstream::sql
