// The event time that the flight jobs compute, for the forms that real files have it in.

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "processor/columns/batch.h"
#include "processor/expr/evaluator.h"
#include "processor/planner/planner.h"
#include "tests/unit/sql/golden.h"

namespace slipstream::sql {
namespace {

constexpr std::optional<int64_t> kNull;

class EventTimeTest : public testing::Test {
 protected:
  void SetUp() override {
    Planner planner({});
    Result<JobPlan> job = planner.Plan("flights_delays", ReadSource("jobs/flights_delays.sql"));
    ASSERT_TRUE(job.ok()) << job.status().message();
    table_ = std::get<TablePtr>(*planner.catalog().Find("flights_raw"));
  }

  std::string EventTime(std::optional<int64_t> year,
                        std::optional<int64_t> month,
                        std::optional<int64_t> day,
                        std::optional<int64_t> sched_dep_time) {
    Batch batch = MakeBatch(table_->schema);
    Arena& arena = batch.NewArena();
    for (size_t i = 0; i < table_->schema.size(); ++i) {
      const std::string& name = table_->schema[i].name;
      const std::optional<int64_t> value = name == "year"             ? year
                                           : name == "month"          ? month
                                           : name == "day"            ? day
                                           : name == "sched_dep_time" ? sched_dep_time
                                                                      : kNull;
      batch.columns[i].Append(value ? Value(*value) : Value(), arena);
    }
    batch.rows = 1;
    RowErrors errors;
    const TableDefinition::ComputedColumn& ts = table_->computed.at(0);
    const Column result = Evaluate(*ts.expression, batch, arena, errors);
    EXPECT_TRUE(errors.empty());
    return ToText(result.ValueAt(0), DataType::Timestamp(3));
  }

  TablePtr table_;
};

TEST_F(EventTimeTest, IsScheduledDeparture) {
  EXPECT_EQ(EventTime(2013, 1, 1, 515), "2013-01-01 05:15:00.000");
  EXPECT_EQ(EventTime(2013, 12, 31, 2359), "2013-12-31 23:59:00.000");
  EXPECT_EQ(EventTime(2008, 2, 29, 5), "2008-02-29 00:05:00.000");
  EXPECT_EQ(EventTime(1987, 10, 14, 730), "1987-10-14 07:30:00.000");
}

TEST_F(EventTimeTest, MidnightAtTheEndOfTheDayIsTheNextDay) {
  EXPECT_EQ(EventTime(2013, 1, 31, 2400), "2013-02-01 00:00:00.000");
  EXPECT_EQ(EventTime(2012, 12, 31, 2400), "2013-01-01 00:00:00.000");
  EXPECT_EQ(EventTime(2008, 2, 28, 2400), "2008-02-29 00:00:00.000");
}

TEST_F(EventTimeTest, WithoutATimeItIsTheDayItself) {
  EXPECT_EQ(EventTime(2013, 3, 10, kNull), "2013-03-10 00:00:00.000");
}

TEST_F(EventTimeTest, WithoutADateThereIsNone) {
  EXPECT_EQ(EventTime(kNull, 1, 1, 515), "NULL");
  EXPECT_EQ(EventTime(2013, kNull, 1, 515), "NULL");
  EXPECT_EQ(EventTime(2013, 1, kNull, 515), "NULL");
}

}  // namespace
}  // namespace slipstream::sql
