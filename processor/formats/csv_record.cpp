#include "processor/formats/csv_record.h"

#include <string>

namespace slipstream::sql {
namespace {

char Unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// FieldReader: the fields of one record, one after the other.
class FieldReader {
 public:
  FieldReader(std::string_view record, const CsvOptions& options, Arena& arena)
      : record_(record), options_(options), arena_(arena) {}

  bool is_at_end() const { return is_at_end_; }

  Result<std::string_view> Next() {
    if (options_.quote && at_ < record_.size() && record_[at_] == *options_.quote) return Quoted();
    return Plain();
  }

 private:
  bool IsEscape(size_t at) const { return options_.escape && record_[at] == *options_.escape; }

  Result<std::string_view> Plain() {
    const size_t begin = at_;
    bool has_escapes = false;
    std::string text;
    for (; at_ < record_.size() && record_[at_] != options_.delimiter; ++at_) {
      if (IsEscape(at_) && at_ + 1 < record_.size()) {
        if (!has_escapes) text.assign(record_, begin, at_ - begin);
        has_escapes = true;
        text.push_back(Unescaped(record_[++at_]));
        continue;
      }
      if (record_[at_] == '\n') return InvalidArgument("not CSV: more than one line");
      if (has_escapes) text.push_back(record_[at_]);
    }
    const std::string_view field =
        has_escapes ? arena_.Copy(text) : record_.substr(begin, at_ - begin);
    EndField();
    return field;
  }

  Result<std::string_view> Quoted() {
    const size_t begin = ++at_;
    bool is_copied = false;
    std::string text;
    const auto copy = [&] {
      if (!is_copied) text.assign(record_, begin, at_ - begin);
      is_copied = true;
    };
    for (;; ++at_) {
      if (at_ >= record_.size()) return InvalidArgument("not CSV: an open quote");
      const char c = record_[at_];
      if (IsEscape(at_) && c != *options_.quote && at_ + 1 < record_.size()) {
        copy();
        text.push_back(Unescaped(record_[++at_]));
      } else if (c != *options_.quote) {
        if (is_copied) text.push_back(c);
      } else if (at_ + 1 < record_.size() && record_[at_ + 1] == c) {
        copy();
        text.push_back(c);
        ++at_;
      } else {
        break;
      }
    }
    const std::string_view field =
        is_copied ? arena_.Copy(text) : record_.substr(begin, at_ - begin);
    ++at_;
    while (at_ < record_.size() && record_[at_] == ' ' && options_.delimiter != ' ')
      ++at_;
    if (at_ < record_.size() && record_[at_] != options_.delimiter) {
      return InvalidArgument("not CSV: text behind a closing quote");
    }
    EndField();
    return field;
  }

  // Steps over the delimiter; without one the record is over.
  void EndField() {
    if (at_ < record_.size()) {
      ++at_;
    } else {
      is_at_end_ = true;
    }
  }

  const std::string_view record_;
  const CsvOptions& options_;
  Arena& arena_;
  size_t at_ = 0;
  bool is_at_end_ = false;
};

}  // namespace

Status SplitCsvRecord(std::string_view record,
                      const CsvOptions& options,
                      Arena& arena,
                      std::vector<std::string_view>& fields) {
  fields.clear();
  if (record.ends_with('\n')) record.remove_suffix(1);
  if (record.ends_with('\r')) record.remove_suffix(1);
  FieldReader reader(record, options, arena);
  while (!reader.is_at_end()) {
    ASSIGN_OR_RETURN(const std::string_view field, reader.Next());
    fields.push_back(field);
  }
  return {};
}

size_t CsvLineEnds::Find(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (Step(text[i])) return i;
  }
  return std::string_view::npos;
}

bool CsvLineEnds::Step(char c) {
  if (at_ == At::kRecordStart) {
    at_ = options_.allow_comments && c == '#' ? At::kComment : At::kFieldStart;
  }
  const bool was_quote = was_quote_;
  was_quote_ = false;
  if (at_ == At::kComment && c != '\n') return false;
  if (is_escaped_) {
    is_escaped_ = false;
    if (at_ == At::kFieldStart) at_ = At::kPlain;
    return false;
  }
  const bool is_quote = options_.quote && c == *options_.quote;
  if (options_.escape && c == *options_.escape && !is_quote && at_ != At::kComment) {
    is_escaped_ = true;
  } else if (at_ == At::kQuoted) {
    // A doubled quote leaves and enters again, with nothing in between.
    if (is_quote) at_ = At::kPlain;
    was_quote_ = is_quote;
  } else if (c == '\n') {
    at_ = At::kRecordStart;
    return true;
  } else if (is_quote && (at_ == At::kFieldStart || was_quote)) {
    at_ = At::kQuoted;
  } else {
    at_ = c == options_.delimiter ? At::kFieldStart : At::kPlain;
  }
  return false;
}

}  // namespace slipstream::sql
