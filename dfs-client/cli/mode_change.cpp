#include "dfs-client/cli/mode_change.h"

#include <algorithm>
#include <string>

namespace slipstream::dfs::cli {
namespace {

constexpr uint32_t kSticky = 01000;
constexpr uint32_t kEveryone = 0777;
constexpr uint32_t kExecute = 0111;

// Three digits leave the sticky bit as it is, of four the first sets or clears it.
std::optional<uint32_t> ParseOctal(std::string_view text) {
  if (text.size() != 3 && text.size() != 4) return std::nullopt;
  uint32_t mode = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '7') return std::nullopt;
    mode = mode * 8 + static_cast<uint32_t>(digit - '0');
  }
  if (mode > (kSticky | kEveryone)) return std::nullopt;
  return mode;
}

uint32_t WhoBits(char letter) {
  switch (letter) {
    case 'u':
      return 0700;
    case 'g':
      return 0070;
    case 'o':
      return 0007;
    default:
      return kEveryone;
  }
}

bool IsOperation(char letter) {
  return letter == '+' || letter == '-' || letter == '=';
}

}  // namespace

bool ModeChange::ParseClause(std::string_view clause, std::vector<Step>& steps) {
  size_t at = 0;
  uint32_t who = 0;
  while (at < clause.size() && std::string_view("ugoa").find(clause[at]) != std::string_view::npos)
    who |= WhoBits(clause[at++]);
  if (who == 0) who = kEveryone;
  if (at == clause.size()) return false;
  while (at < clause.size()) {
    if (!IsOperation(clause[at])) return false;
    Step step{.who = who, .operation = clause[at++]};
    while (at < clause.size() && !IsOperation(clause[at])) {
      switch (clause[at++]) {
        case 'r':
          step.bits |= 0444;
          break;
        case 'w':
          step.bits |= 0222;
          break;
        case 'x':
          step.bits |= kExecute;
          break;
        case 'X':
          step.has_x_if = true;
          break;
        case 't':
          step.bits |= kSticky;
          break;
        default:
          return false;
      }
    }
    steps.push_back(step);
  }
  return true;
}

std::optional<ModeChange> ModeChange::Parse(std::string_view text) {
  ModeChange change;
  if (const std::optional<uint32_t> octal = ParseOctal(text); octal.has_value()) {
    constexpr size_t kWithSticky = 4;
    const uint32_t who = text.size() == kWithSticky ? kSticky | kEveryone : kEveryone;
    change.steps_.push_back({.who = who, .operation = '=', .bits = *octal});
    return change;
  }
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (!ParseClause(text.substr(begin, end - begin), change.steps_)) return std::nullopt;
    begin = end + 1;
  }
  return change;
}

uint32_t ModeChange::Apply(FileKind kind, uint32_t mode) const {
  for (const Step& step : steps_) {
    uint32_t bits = step.bits & step.who;
    const bool may_execute = kind == FileKind::kDirectory || (mode & kExecute) != 0;
    if (step.has_x_if && may_execute) bits |= kExecute & step.who;
    bits |= step.bits & kSticky;
    if (step.operation == '+') {
      mode |= bits;
    } else if (step.operation == '-') {
      mode &= ~bits;
    } else {
      mode = (mode & ~step.who) | bits;
    }
  }
  return mode;
}

}  // namespace slipstream::dfs::cli
