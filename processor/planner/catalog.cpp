#include "processor/planner/catalog.h"

#include <set>
#include <utility>

namespace slipstream::sql {

bool Catalog::Add(const std::string& name, Entry entry, bool is_temporary, std::string definition) {
  return Of(is_temporary).emplace(name, Item{std::move(entry), std::move(definition)}).second;
}

bool Catalog::Remove(const std::string& name, bool is_temporary) {
  return Of(is_temporary).erase(name) > 0;
}

const Catalog::Item* Catalog::FindItem(const std::string& name) const {
  if (const auto found = temporary_.find(name); found != temporary_.end()) return &found->second;
  const auto found = permanent_.find(name);
  return found == permanent_.end() ? nullptr : &found->second;
}

const Catalog::Entry* Catalog::Find(const std::string& name) const {
  const Item* const item = FindItem(name);
  return item == nullptr ? nullptr : &item->entry;
}

std::string Catalog::DefinitionOf(const std::string& name) const {
  const Item* const item = FindItem(name);
  return item == nullptr ? "" : item->definition;
}

bool Catalog::Contains(const std::string& name, bool is_temporary) const {
  return (is_temporary ? temporary_ : permanent_).contains(name);
}

std::vector<std::string> Catalog::Names() const {
  std::set<std::string> names;
  for (const auto& [name, item] : permanent_)
    names.insert(name);
  for (const auto& [name, item] : temporary_)
    names.insert(name);
  return {names.begin(), names.end()};
}

}  // namespace slipstream::sql
