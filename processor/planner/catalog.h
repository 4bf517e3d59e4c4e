#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "processor/planner/plan.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// A view: its query, planned anew wherever it is named.
struct ViewDefinition {
  std::string name;
  std::vector<ast::Name> columns;  // empty: the query's
  ast::QueryPtr query;
  std::shared_ptr<const SourceText> source;  // shared with the script it came from
};
using ViewPtr = std::shared_ptr<const ViewDefinition>;  // shared by catalog and planner

// Catalog: the tables and views that statements may name. A temporary one hides a permanent one of
// the same name; all of them last as long as the catalog.
// Threads  none of its own; one owner at a time.
class Catalog {
 public:
  using Entry = std::variant<TablePtr, ViewPtr>;

  // False: there is one of that name already, equally temporary.
  // `definition`: the statement that declared it, as it was written.
  bool Add(const std::string& name, Entry entry, bool is_temporary, std::string definition);
  bool Remove(const std::string& name, bool is_temporary);
  const Entry* Find(const std::string& name) const;
  // Of what Find gives; empty if there is none.
  std::string DefinitionOf(const std::string& name) const;
  bool Contains(const std::string& name, bool is_temporary) const;

  // In order.
  std::vector<std::string> Names() const;

 private:
  struct Item {
    Entry entry;
    std::string definition;
  };

  std::map<std::string, Item>& Of(bool is_temporary) {
    return is_temporary ? temporary_ : permanent_;
  }
  const Item* FindItem(const std::string& name) const;

  std::map<std::string, Item> permanent_;
  std::map<std::string, Item> temporary_;
};

}  // namespace slipstream::sql
