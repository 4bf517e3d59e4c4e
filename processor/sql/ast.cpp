#include "processor/sql/ast.h"

namespace slipstream::sql::ast {

std::string ToString(const QualifiedName& name) {
  std::string text;
  for (const Name& part : name) {
    if (!text.empty()) text += '.';
    text += part.text;
  }
  return text;
}

}  // namespace slipstream::sql::ast
