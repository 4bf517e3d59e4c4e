#include "processor/sql/parser.h"

#include <memory>
#include <utility>

#include "processor/sql/grammar.h"

namespace slipstream::sql {

ast::Script ParseOrThrow(std::string name, std::string text) {
  auto source = std::make_shared<const SourceText>(
      SourceText{.name = std::move(name), .text = std::move(text)});
  return Grammar(std::move(source)).ParseScript();
}

Result<ast::Script> Parse(std::string name, std::string text) {
  try {
    return ParseOrThrow(std::move(name), std::move(text));
  } catch (const SqlError& error) {
    return error.ToStatus();
  }
}

}  // namespace slipstream::sql
