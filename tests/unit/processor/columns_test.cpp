#include <gtest/gtest.h>

#include "processor/columns/batch.h"

namespace slipstream::sql {
namespace {

TEST(ColumnTest, NullsAreKeptBesideValues) {
  Arena arena;
  Column column(DataType::BigInt());

  column.Append(int64_t{7}, arena);
  column.AppendNull();
  column.Append(int64_t{9}, arena);

  ASSERT_EQ(column.size(), 3U);
  EXPECT_EQ(column.ValueAt(0), Value(int64_t{7}));
  EXPECT_TRUE(IsNull(column.ValueAt(1)));
  EXPECT_EQ(column.ValueAt(2), Value(int64_t{9}));
}

TEST(ColumnTest, GatherKeepsOrderRepeatsAndNulls) {
  Arena arena;
  Column column(DataType::String());
  column.Append(std::string("a"), arena);
  column.AppendNull();
  column.Append(std::string("c"), arena);

  Column gathered = Gather(column, {2, 1, 2});

  ASSERT_EQ(gathered.size(), 3U);
  EXPECT_EQ(gathered.strings[0], "c");
  EXPECT_TRUE(gathered.is_null(1));
  EXPECT_EQ(gathered.strings[2], "c");
}

TEST(ColumnTest, RowsOfNestedTypesAreCopiedWhole) {
  Column array(DataType{.kind = TypeKind::kArray,
                        .children = std::make_shared<const std::vector<Field>>(
                            std::vector<Field>{{.name = "", .type = DataType::BigInt()}})});
  array.offsets = {0, 2, 2, 3};
  array.children[0].ints = {1, 2, 3};

  Column gathered = Gather(array, {2, 0});

  EXPECT_EQ(gathered.size(), 2U);
  EXPECT_EQ(gathered.offsets, (std::vector<uint32_t>{0, 1, 3}));
  EXPECT_EQ(gathered.children[0].ints, (std::vector<int64_t>{3, 1, 2}));
}

TEST(ColumnTest, RowsWithinRowsKeepTheirNulls) {
  Column row(DataType{
      .kind = TypeKind::kRow,
      .children = std::make_shared<const std::vector<Field>>(std::vector<Field>{
          {.name = "a", .type = DataType::BigInt()}, {.name = "b", .type = DataType::BigInt()}})});
  row.children[0].ints = {1, 2, 3};
  row.children[1].ints = {4, 5, 6};
  row.children[1].valid = {1, 1, 0};
  row.valid = {1, 0, 1};

  Column gathered = Gather(row, {2, 1, 0});

  EXPECT_EQ(gathered.size(), 3U);
  EXPECT_EQ(gathered.valid, (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(gathered.children[0].ints, (std::vector<int64_t>{3, 2, 1}));
  EXPECT_TRUE(gathered.children[1].is_null(0));
}

TEST(BatchTest, ItsBytesAreThoseOfItsValues) {
  Batch batch = MakeBatch({{"a", DataType::Int()}, {"b", DataType::String()}});
  EXPECT_EQ(ValueBytes(batch), 0U);
  Arena& arena = batch.NewArena();
  batch.columns[0].Append(int64_t{7}, arena);
  batch.columns[1].Append(std::string("four"), arena);
  batch.columns[0].AppendNull();
  batch.columns[1].AppendNull();
  batch.rows = 2;
  EXPECT_EQ(ValueBytes(batch), 2 * sizeof(int64_t) + 4);
}

TEST(BatchTest, StringsOutliveTheBatchTheyCameFrom) {
  Batch derived;
  {
    Batch batch = MakeBatch({{"name", DataType::String()}});
    batch.columns[0].Append(std::string(100'000, 'x'), batch.NewArena());
    batch.rows = 1;
    derived = Gather(batch, {0});
  }

  EXPECT_EQ(derived.columns[0].strings[0], std::string(100'000, 'x'));
}

TEST(DataTypeTest, PrintsAsSqlWritesIt) {
  EXPECT_EQ(DataType::Decimal(10, 2).ToString(), "DECIMAL(10, 2)");
  EXPECT_EQ(DataType::String().ToString(), "STRING");
  EXPECT_EQ(DataType::Timestamp().ToString(), "TIMESTAMP(3)");
  DataType not_null = DataType::Int();
  not_null.nullable = false;
  EXPECT_EQ(not_null.ToString(), "INT NOT NULL");
}

}  // namespace
}  // namespace slipstream::sql
