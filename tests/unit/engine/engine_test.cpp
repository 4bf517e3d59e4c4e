#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/line_reader.h"
#include "processor/engine/sink_writer.h"
#include "processor/expr/nested_cells.h"
#include "processor/formats/json_decoder.h"
#include "processor/formats/json_encoder.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/row_codec.h"
#include "processor/operators/window_assigner.h"
#include "processor/planner/planner.h"
#include "processor/types/integer_range.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/memory_file_source.h"

namespace slipstream::sql {
namespace {

// ---- Keys ----

std::string KeyOf(const Value& value, const DataType& type) {
  Column column(type);
  Arena arena;
  column.Append(value, arena);
  std::string key;
  KeyCodec({type}).Encode({&column}, 0, key);
  return key;
}

TEST(KeyCodecTest, KeysSortAsTheirValues) {
  using std::string_literals::operator""s;
  const std::vector<Value> texts = {
      std::monostate{}, ""s, "\0"s, "\0\0"s, "\0a"s, "a"s, "a\0"s, "ab"s, "b"s};
  for (size_t i = 1; i < texts.size(); ++i) {
    EXPECT_LT(KeyOf(texts[i - 1], DataType::String()), KeyOf(texts[i], DataType::String())) << i;
  }
  const std::vector<Value> integers = {
      std::monostate{}, INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX};
  for (size_t i = 1; i < integers.size(); ++i) {
    EXPECT_LT(KeyOf(integers[i - 1], DataType::BigInt()), KeyOf(integers[i], DataType::BigInt()));
  }
  const std::vector<Value> reals = {
      -INFINITY, -2.0, -1e-300, 0.0, 1e-300, 3.5, double{INFINITY}, std::nan("")};
  for (size_t i = 1; i < reals.size(); ++i) {
    EXPECT_LT(KeyOf(reals[i - 1], DataType::Double()), KeyOf(reals[i], DataType::Double())) << i;
  }
  EXPECT_EQ(KeyOf(-0.0, DataType::Double()), KeyOf(0.0, DataType::Double()));
}

TEST(KeyCodecTest, ValuesComeBack) {
  using std::string_literals::operator""s;
  const std::vector<DataType> types = {DataType::String(),
                                       DataType::BigInt(),
                                       DataType::Boolean(),
                                       DataType::Double(),
                                       DataType::Decimal(38, 2),
                                       DataType::Int()};
  const std::vector<Value> values = {
      "x\0y"s, int64_t{-5}, true, -2.5, Int128{-7}, std::monostate{}};
  std::vector<Column> columns;
  std::vector<const Column*> pointers;
  Arena arena;
  for (size_t i = 0; i < types.size(); ++i)
    columns.emplace_back(types[i]).Append(values[i], arena);
  for (const Column& column : columns)
    pointers.push_back(&column);
  const KeyCodec codec(types);
  std::string key;
  codec.Encode(pointers, 0, key);

  std::vector<Column> decoded(types.begin(), types.end());
  ASSERT_EQ(codec.Decode(key, decoded, 0, arena), Status());

  for (size_t i = 0; i < types.size(); ++i)
    EXPECT_EQ(decoded[i].ValueAt(0), values[i]) << i;
  for (size_t size = 0; size < key.size(); ++size) {
    std::vector<Column> cut(types.begin(), types.end());
    EXPECT_EQ(codec.Decode(key.substr(0, size), cut, 0, arena).code(), Code::kDataLoss) << size;
  }
}

// Rows 0 and 1 are {'b': [1, NULL]} and NULL; row 2 is {'b': NULL, 'a': []}, row 3 the same in
// another order.
Column MapsOfArrays() {
  Column maps(MapOf(DataType::String(), ArrayOf(DataType::Int(), true), true));
  maps.valid = {1, 0, 1, 1};
  maps.offsets = {0, 1, 1, 3, 5};
  maps.children[0].strings = {"b", "b", "a", "a", "b"};
  maps.children[1].valid = {1, 0, 1, 1, 0};
  maps.children[1].offsets = {0, 2, 2, 2, 2, 2};
  maps.children[1].children[0].ints = {1, 0};
  maps.children[1].children[0].valid = {1, 0};
  return maps;
}

TEST(KeyCodecTest, NestedValuesComeBackAndMapsHaveNoOrder) {
  const Column maps = MapsOfArrays();
  const KeyCodec codec({maps.type});
  std::vector<std::string> keys(4);
  for (size_t row = 0; row < keys.size(); ++row)
    codec.Encode({&maps}, row, keys[row]);

  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 3U);
  EXPECT_EQ(keys[2], keys[3]);
  std::vector<Column> decoded = {Column(maps.type)};
  Arena arena;
  for (size_t row = 0; row < keys.size(); ++row) {
    ASSERT_EQ(codec.Decode(keys[row], decoded, 0, arena), Status());
    EXPECT_TRUE(IsSameCell(decoded[0], row, maps, row)) << row;
  }
  for (size_t size = 0; size < keys[0].size(); ++size) {
    std::vector<Column> cut = {Column(maps.type)};
    EXPECT_EQ(codec.Decode(keys[0].substr(0, size), cut, 0, arena).code(), Code::kDataLoss) << size;
  }
}

TEST(KeyCodecTest, WhatNoColumnOfItsTypeHoldsIsDamage) {
  const DataType time{.kind = TypeKind::kTime};
  struct Case {
    DataType type;
    int64_t value = 0;
  };
  for (const auto& [type, value] : {Case{DataType::Int(), int64_t{INT32_MAX} + 1},
                                    Case{DataType::Date(), kDaysMax + 1},
                                    Case{DataType::Date(), -kDaysMax - 1},
                                    Case{time, -1},
                                    Case{time, kMicrosPerDay}}) {
    Arena arena;
    std::vector<Column> columns = {Column(type)};
    EXPECT_EQ(KeyCodec({type}).Decode(KeyOf(value, type), columns, 0, arena).code(),
              Code::kDataLoss)
        << type.ToString() << " " << value;
    Column saved(type);
    saved.Append(value, arena);
    const RowCodec rows({{.name = "a", .type = type}});
    std::string row;
    rows.Encode({saved}, 0, row);
    std::vector<Column> restored = {Column(type)};
    EXPECT_EQ(rows.Decode(row, restored, arena).code(), Code::kDataLoss);
  }
}

TEST(RowCodecTest, BelievesNoCountOfEntries) {
  const DataType row{.kind = TypeKind::kRow,
                     .children = std::make_shared<const std::vector<Field>>()};
  const DataType array{
      .kind = TypeKind::kArray,
      .children = std::make_shared<const std::vector<Field>>(std::vector<Field>{{"", row}})};
  Arena arena;
  std::vector<Column> columns = {Column(array)};
  // Of 2^32 - 1 empty rows, two of which are there.
  using std::string_literals::operator""s;
  EXPECT_EQ(RowCodec({{.name = "a", .type = array}})
                .Decode("\1\xff\xff\xff\xff\1\1"s, columns, arena)
                .code(),
            Code::kDataLoss);
}

// ---- Windows ----

// Every window a row is assigned to holds it, and no other does: against the definition.
TEST(WindowAssignerTest, AgreesWithTheDefinition) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 2'000; ++round) {
    WindowSpec window;
    window.kind = round % 2 == 0 ? WindowSpec::Kind::kHop : WindowSpec::Kind::kCumulate;
    window.slide_us = static_cast<int64_t>(random() % 7 + 1);
    window.size_us = window.slide_us * static_cast<int64_t>(random() % 5 + 1);
    // A hop need not divide the size, and may be greater than it.
    if (round % 4 == 0) window.size_us = static_cast<int64_t>(random() % 20 + 1);
    window.offset_us = static_cast<int64_t>(random() % 11) - 5;
    const int64_t time = static_cast<int64_t>(random() % 200) - 100;
    std::vector<int64_t> expected;
    for (int64_t end = time - 100; end <= time + 100; ++end) {
      int64_t start = end - window.size_us;
      bool is_window = FloorModulo(start - window.offset_us, window.slide_us) == 0;
      if (window.kind == WindowSpec::Kind::kCumulate) {
        start = WindowStart(window, end);
        is_window = FloorModulo(start - window.offset_us, window.size_us) == 0 &&
                    (end - start) % window.slide_us == 0 && end - start <= window.size_us;
      }
      if (is_window && start <= time && time < end) expected.push_back(end);
    }
    std::vector<int64_t> actual;
    const WindowEnds ends = AssignWindows(window, time);
    for (int64_t end = ends.first; end <= ends.last; end += ends.step)
      actual.push_back(end);
    EXPECT_EQ(actual, expected) << round;
  }
}

// ---- Lines ----

TEST(LineReaderTest, ChunksDoNotShow) {
  const std::string text = "a\nbb\r\n\nlast";
  for (size_t chunk = 1; chunk < 14; ++chunk) {
    MemoryFileSource files(chunk);
    files.Put("/t/f", text);
    const auto file = files.Open("/t/f").value();
    LineReader reader(*file, {});
    std::vector<std::string> lines;
    while (true) {
      const std::vector<std::string_view> next = reader.Next().value();
      if (next.empty()) break;
      lines.insert(lines.end(), next.begin(), next.end());
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"a", "bb", "", "last"})) << chunk;
  }
}

// ---- Partition folders ----

TEST(PartitionFolderTest, ValuesComeBackFromTheirFolders) {
  for (const std::string text : {"AA", "a/b", "100%", "x=y", "ü", "..", "%2F", "a\nb"}) {
    std::string folder;
    AppendPartitionFolder("c d", text, DataType::String(), folder);
    ASSERT_EQ(folder.back(), '/');
    folder.pop_back();
    EXPECT_EQ(folder.find('/'), std::string::npos);
    EXPECT_EQ(ReadPartitionFolder(folder, "c d"), Value(text)) << folder;
  }
  EXPECT_EQ(ReadPartitionFolder("c=__HIVE_DEFAULT_PARTITION__", "c"), Value(std::monostate{}));
  EXPECT_FALSE(ReadPartitionFolder("d=1", "c"));
}

// ---- Processing time ----

// Computed columns, conditions and projections read the clock they are given, when the rows come.
TEST(ProcessingTimeTest, IsThatOfTheJobsClock) {
  ManualClock clock(WallTime(std::chrono::milliseconds(1'589'251'917'122)));
  const JobPlan plan =
      Planner({})
          .Plan(
              "job",
              "CREATE TABLE t (v INT, p AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 't', "
              "'format' = 'json');"
              "CREATE TABLE r (v INT, p TIMESTAMP_LTZ(3), n TIMESTAMP_LTZ(3), d DATE, u BIGINT) "
              "WITH ('connector' = 'print');"
              "INSERT INTO r SELECT v, p, NOW(), CURRENT_DATE, UNIX_TIMESTAMP() FROM t "
              "WHERE CURRENT_TIMESTAMP > TIMESTAMP '2020-01-01 00:00:00'")
          .value();
  const auto program =
      CompileJob(plan, {.is_bounded = false, .partition_count = {}, .clock = clock}).value();
  const auto task = program->MakeSourceTask(0, "t", 0);
  CollectedOutput output;
  output.Describe({}, {});
  runtime::InputRecord record;
  record.value = R"({"v":1})";

  ASSERT_EQ(task->Process({&record, 1}, nullptr, output), Status());
  clock.JumpWall(std::chrono::hours(24));
  ASSERT_EQ(task->Process({&record, 1}, nullptr, output), Status());

  EXPECT_EQ(output.lines["print"],
            (std::vector<std::string>{
                "+I[1, 2020-05-12 02:51:57.123, 2020-05-12 02:51:57.123, 2020-05-12, 1589251917]",
                "+I[1, 2020-05-13 02:51:57.123, 2020-05-13 02:51:57.123, 2020-05-13, "
                "1589338317]"}));
}

// An hour's sums, shown every five seconds while they change.
TEST(ProcessingTimeTest, EarlyResultsAreShownWhileTheyChangeAndThenAtTheEnd) {
  ManualClock clock;
  const JobPlan plan =
      Planner({})
          .Plan("job",
                "CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ("
                "'connector' = 'kafka', 'topic' = 't', 'format' = 'json');"
                "CREATE TABLE r (k STRING, e TIMESTAMP(3), v INT, PRIMARY KEY (k, e) NOT ENFORCED) "
                "WITH ('connector' = 'upsert-kafka', 'topic' = 'r', 'key.format' = 'csv', "
                "'value.format' = 'csv', 'emit.early-interval' = '5 s');"
                "INSERT INTO r SELECT k, window_end, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), "
                "INTERVAL '1' HOUR) GROUP BY k, window_start, window_end")
          .value();
  const auto program =
      CompileJob(
          plan,
          {.is_bounded = false, .partition_count = [](const auto&) { return 1; }, .clock = clock})
          .value();
  const auto task = program->MakeSourceTask(0, "t", 0);
  CollectedOutput output;
  output.Describe(program->kafka_sinks(), {});
  const auto add = [&](const char* text) {
    runtime::InputRecord record;
    record.value = text;
    ASSERT_EQ(task->Process({&record, 1}, nullptr, output), Status());
  };
  const auto now_us = [&] { return clock.WallNow().time_since_epoch().count() * 1'000; };
  EXPECT_EQ(task->next_tick_us(), runtime::kNoTick);
  add(R"({"k":"a","v":1,"ts":"2024-01-01 00:00:01"})");
  EXPECT_EQ(task->next_tick_us(), now_us() + 5'000'000);
  clock.Advance(std::chrono::seconds(3));
  add(R"({"k":"a","v":2,"ts":"2024-01-01 00:00:02"})");
  add(R"({"k":"b","v":4,"ts":"2024-01-01 00:00:02"})");
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(task->next_tick_us(), now_us());
  ASSERT_EQ(task->Tick(output), Status());
  EXPECT_EQ(task->next_tick_us(), runtime::kNoTick);
  add(R"({"k":"b","v":8,"ts":"2024-01-01 00:00:03"})");
  // The window ends before the next time: what was shown as it is is not given again.
  add(R"({"k":"c","v":16,"ts":"2024-01-01 01:00:00"})");
  EXPECT_EQ(
      output.lines["topic r"],
      (std::vector<std::string>{"a,\"2024-01-01 01:00:00\" -> a,\"2024-01-01 01:00:00\",3",
                                "b,\"2024-01-01 01:00:00\" -> b,\"2024-01-01 01:00:00\",4",
                                "b,\"2024-01-01 01:00:00\" -> b,\"2024-01-01 01:00:00\",12"}));
}

// ---- JSON ----

const Schema kFields = {{"id", DataType::BigInt()},
                        {"name", DataType::String()},
                        {"ok", DataType::Boolean()},
                        {"v", DataType::Double()},
                        {"d", DataType::Decimal(10, 2)},
                        {"ts", DataType::Timestamp(3)}};

// Whatever the bytes are, the decoder answers with rows or failures, and what it gives can be
// encoded and decoded to the same again.
TEST(JsonDecoderTest, SurvivesMutatedRecords) {
  const std::string seed =
      R"({"id":12,"name":"a\"\u00e9b","ok":true,"v":-1.5e3,"d":"7.25","ts":"2020-01-01 00:00:00.5","x":[{"y":null}]})";
  std::mt19937_64 random(17);
  auto decoder = JsonDecoder::Create(kFields, {}).value();
  const JsonEncoder encoder(kFields, {0, 1, 2, 3, 4, 5}, {});
  uint64_t rows = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 3 == 0 ? "[" + seed + "," + seed + "]" : seed;
    for (uint64_t changes = random() % 4; changes > 0; --changes) {
      const size_t at = random() % text.size();
      constexpr std::string_view kBytes = "{}[]\",:\\0e-.ntf \xC3\xFF";
      switch (random() % 3) {
        case 0:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          text.erase(at, random() % 4);
          break;
        default:
          text.insert(at, 1, kBytes[random() % kBytes.size()]);
          break;
      }
      if (text.empty()) text = "{";
    }
    const std::vector<std::optional<std::string_view>> records = {text};
    const DecodedRows decoded = decoder->Decode(records);
    ASSERT_EQ(decoded.origins.size(), decoded.batch.rows);
    rows += decoded.batch.rows;
    for (size_t row = 0; row < decoded.batch.rows; ++row) {
      std::string first;
      encoder.Encode(decoded.batch, row, first);
      const std::vector<std::optional<std::string_view>> again = {first};
      auto second_decoder = JsonDecoder::Create(kFields, {}).value();
      const DecodedRows second = second_decoder->Decode(again);
      ASSERT_EQ(second.batch.rows, 1U) << first;
      std::string encoded;
      encoder.Encode(second.batch, 0, encoded);
      EXPECT_EQ(encoded, first);
    }
  }
  EXPECT_GT(rows, 1'000U);
}

TEST(JsonDecoderTest, DeepNestingIsNoDanger) {
  auto decoder = JsonDecoder::Create(kFields, {}).value();
  std::string deep = R"({"x":)" + std::string(200'000, '[');
  std::string closed = deep + std::string(200'000, ']') + R"(,"id":1})";
  deep += "1";
  const std::vector<std::optional<std::string_view>> records = {deep, closed, R"({"id":2})"};

  const DecodedRows decoded = decoder->Decode(records);

  EXPECT_EQ(decoded.batch.rows + decoded.failures.size(), 3U);
  EXPECT_EQ(decoded.batch.columns[0].ints.back(), 2);
}

TEST(JsonDecoderTest, BatchesKeepTheirStringsWhileTheDecoderGoesOn) {
  auto decoder = JsonDecoder::Create(kFields, {}).value();
  const std::vector<std::optional<std::string_view>> first = {R"({"name":"first"})"};
  const std::vector<std::optional<std::string_view>> second = {R"({"name":"other"})"};

  const DecodedRows kept = decoder->Decode(first);
  decoder->Decode(second);

  EXPECT_EQ(kept.batch.columns[1].strings[0], "first");
}

TEST(JsonDecoderTest, AGreatRecordIsRead) {
  auto decoder = JsonDecoder::Create(kFields, {}).value();
  const std::string record = R"({"name":")" + std::string(10 << 20, 'x') + R"("})";
  const std::vector<std::optional<std::string_view>> records = {record};

  const DecodedRows decoded = decoder->Decode(records);

  ASSERT_EQ(decoded.batch.rows, 1U);
  EXPECT_EQ(decoded.batch.columns[1].strings[0].size(), size_t{10} << 20);
}

}  // namespace
}  // namespace slipstream::sql
