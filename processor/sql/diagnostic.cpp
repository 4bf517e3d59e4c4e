#include "processor/sql/diagnostic.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace slipstream::sql {
namespace {

constexpr size_t kLineCharactersMax = 120;

bool IsContinuationByte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

uint32_t CountCharacters(std::string_view text) {
  return static_cast<uint32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

// The byte offset of the character number `characters`.
size_t ByteOffset(std::string_view text, size_t characters) {
  size_t i = 0;
  while (i < text.size() && characters > 0) {
    ++i;
    while (i < text.size() && IsContinuationByte(text[i]))
      ++i;
    --characters;
  }
  return i;
}

}  // namespace

Span Join(Span first, Span last) {
  return {first.offset, last.offset + last.length - first.offset};
}

std::string_view SourceText::Slice(Span span) const {
  return std::string_view(text).substr(span.offset, span.length);
}

Diagnostic MakeDiagnostic(const SourceText& source,
                          Span span,
                          std::string message,
                          std::string hint) {
  const std::string_view text = source.text;
  const size_t at = std::min<size_t>(span.offset, text.size());
  const size_t previous_end = text.substr(0, at).rfind('\n');
  const size_t line_start = previous_end == std::string_view::npos ? 0 : previous_end + 1;
  const size_t line_end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(line_start, line_end - line_start);

  Diagnostic result;
  result.source = source.name;
  result.line = static_cast<uint32_t>(std::count(
                    text.begin(), text.begin() + static_cast<std::ptrdiff_t>(line_start), '\n')) +
                1;
  const uint32_t before = CountCharacters(text.substr(line_start, at - line_start));
  result.column = before + 1;
  const size_t end = std::min<size_t>(at + span.length, line_end);
  result.width = std::max(1U, CountCharacters(text.substr(at, end - at)));

  const size_t skipped = before > kLineCharactersMax / 2 ? before - kLineCharactersMax / 2 : 0;
  const std::string_view tail = line.substr(ByteOffset(line, skipped));
  result.line_text = tail.substr(0, ByteOffset(tail, kLineCharactersMax));
  // One column each, so that the caret stands under its character.
  for (char& c : result.line_text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  result.caret = before - static_cast<uint32_t>(skipped);
  const auto room = static_cast<uint32_t>(kLineCharactersMax) - result.caret;
  result.width = std::min(result.width, std::max(1U, room));
  result.message = std::move(message);
  result.hint = std::move(hint);
  return result;
}

std::string Diagnostic::Render() const {
  const std::string number = std::to_string(line);
  std::string text = fmt::format("{}:{}:{}: {}\n", source, line, column, message);
  text += fmt::format("  {} | {}\n", number, line_text);
  text += fmt::format("  {} | {}{}",
                      std::string(number.size(), ' '),
                      std::string(caret, ' '),
                      std::string(width, '^'));
  if (!hint.empty()) text += "\nhint: " + hint;
  return text;
}

SqlError::SqlError(Diagnostic diagnostic) : diagnostic_(std::move(diagnostic)) {}

Status SqlError::ToStatus() const {
  return InvalidArgument(diagnostic_.Render());
}

}  // namespace slipstream::sql
