#include "harness/store/schema.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "tests/harness/store/fixture.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Database open(const std::filesystem::path& path) {
  return {path, Database::Access::write, std::chrono::milliseconds(50)};
}

std::vector<std::string> column(const Database& database, const std::string& sql) {
  std::vector<std::string> values;
  Statement select = database.prepare(sql);
  while (select.next()) values.push_back(select.value<std::string>());
  return values;
}

const std::array<std::string, 3> kSteps = {
    "CREATE TABLE things (a INTEGER NOT NULL) STRICT",
    "ALTER TABLE things ADD COLUMN b INTEGER NOT NULL DEFAULT 5",
    "CREATE VIEW sums AS SELECT a + b AS s FROM things"};

TEST(SchemaTest, MigratesFromNothingAndMarksTheFile) {
  const TempFolder folder;
  Database database = open(folder / "a.db");
  migrate(database, kSteps);
  EXPECT_EQ(database.value<int>("PRAGMA user_version"), 3);
  EXPECT_EQ(database.value<std::int64_t>("PRAGMA application_id"), kStoreApplicationId);
  EXPECT_EQ(database.value<int>("SELECT count(*) FROM sums"), 0);
}

TEST(SchemaTest, MigratesAnOlderFileAndKeepsItsRows) {
  const TempFolder folder;
  Database database = open(folder / "a.db");
  migrate(database, std::span(kSteps).first(1));
  database.execute("INSERT INTO things VALUES (2)");
  migrate(database, kSteps);
  EXPECT_EQ(database.value<int>("SELECT s FROM sums"), 7);
  migrate(database, kSteps);
  EXPECT_EQ(database.value<int>("PRAGMA user_version"), 3);
}

TEST(SchemaTest, CasesOfTheFirstVersionSayNothingOfTexts) {
  const TempFolder folder;
  Database database = open(folder / "a.db");
  migrate(database, store_migrations().first(1));
  database.execute(
      "INSERT INTO machines VALUES (1, 'f', 'c', '[]', '[]', 0, 0, '[]');"
      "INSERT INTO runs VALUES (1, 'u', 0, 1, 's', 'h', 'p', 'r', 'b', 'c', 1, 'auto', 0, '{}');"
      "INSERT INTO models VALUES (1, 'm'); INSERT INTO layers VALUES (1, 1, 'l', 1, 1);"
      "INSERT INTO artifacts VALUES (1, 1, 'FP32', 'none'); INSERT INTO groups VALUES (1, 'g', 4);"
      "INSERT INTO cases VALUES (1, 1, 'key', 'a', 'g', 1, 1, 'hot', 1, 'cpu', 'k', 'planned', "
      "'')");
  migrate(database, store_migrations());
  EXPECT_EQ(database.value<std::string>("SELECT protocol || '|' || kv_cache FROM results"), "|");
}

TEST(SchemaTest, StepThatFailsLeavesTheOlderFile) {
  const TempFolder folder;
  Database database = open(folder / "a.db");
  migrate(database, std::span(kSteps).first(1));
  const std::array<std::string, 3> broken = {kSteps[0], kSteps[1], "CREATE VIEW"};
  EXPECT_THROW(migrate(database, broken), std::logic_error);
  EXPECT_EQ(database.value<int>("PRAGMA user_version"), 1);
  EXPECT_THROW(database.prepare("SELECT b FROM things"), std::logic_error);
}

class StoreSchemaTest : public ::testing::Test {
 protected:
  StoreSchemaTest() {
    Store store = Store::open_for_writing(path_);
    const auto run = store.begin_run(sample_run(), sample_cases(2, "g", 1));
    store.add_leg(run, sample_leg(2, "g", 0));
    VerdictRow verdict;
    verdict.id = "speed.int8";
    verdict.verdict = "confirmed";
    verdict.kind = "measured";
    verdict.better = "higher";
    store.add_verdicts(run, {verdict});
    store.end_run(run, RunEnd::finished);
  }

  std::vector<std::string> tables(const Database& database) const {
    return column(database, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  }

  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "a.db";
};

TEST_F(StoreSchemaTest, EveryTableIsStrictAndFilled) {
  const Database database = open(path_);
  EXPECT_THAT(tables(database), SizeIs(16));
  EXPECT_THAT(column(database,
                     "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                     "AND name NOT LIKE 'sqlite_%' AND strict = 0"),
              IsEmpty());
  for (const std::string& table : tables(database)) {
    EXPECT_GT(database.value<int>("SELECT count(*) FROM " + table), 0) << table;
  }
}

TEST_F(StoreSchemaTest, EveryTableIsAppendOnly) {
  Database database = open(path_);
  for (const std::string& table : tables(database)) {
    const auto rows = database.value<int>("SELECT count(*) FROM " + table);
    const auto first = database.value<std::string>(
        fmt::format("SELECT name FROM pragma_table_info('{}') LIMIT 1", table));
    for (const std::string& change : {fmt::format("DELETE FROM {}", table),
                                      fmt::format("UPDATE {} SET {} = {}", table, first, first)}) {
      try {
        database.execute(change);
        ADD_FAILURE() << change << " went through";
      } catch (const std::logic_error& error) {
        EXPECT_THAT(error.what(), HasSubstr(table + " is append only"));
      }
    }
    EXPECT_EQ(database.value<int>("SELECT count(*) FROM " + table), rows) << table;
  }
}

TEST_F(StoreSchemaTest, OnlyTheLegOfAMetricMayBeNull) {
  const Database database = open(path_);
  EXPECT_THAT(column(database,
                     "SELECT t.name || '.' || c.name FROM sqlite_schema t "
                     "JOIN pragma_table_info(t.name) c WHERE t.type = 'table' "
                     "AND c.\"notnull\" = 0 AND c.pk = 0"),
              ::testing::ElementsAre("metrics.leg"));
}

TEST_F(StoreSchemaTest, ViewsAnswerPlainQuestions) {
  const Database database = open(path_);
  EXPECT_THAT(
      column(database,
             "SELECT case_key || ' ' || scheme || ' ' || status || ' ' || value FROM results "
             "WHERE metric = 'sqnr' ORDER BY case_key"),
      ::testing::ElementsAre("g/c0 FP32 passed 40.1", "g/c1 W8A8 passed 40.1"));
  EXPECT_THAT(column(database, "SELECT run || ' ' || claim || ' ' || verdict FROM latest_verdicts"),
              ::testing::ElementsAre("1 speed.int8 confirmed"));
  EXPECT_THAT(column(database, "SELECT suite || ' ' || status FROM run_states"),
              ::testing::ElementsAre("default finished"));
}

TEST_F(StoreSchemaTest, ForeignKeysHold) {
  const Database database = open(path_);
  EXPECT_THAT(column(database, "SELECT 1 FROM pragma_foreign_key_check"), IsEmpty());
  Store store = Store::open_for_writing(path_);
  EXPECT_THROW(store.end_run(99, RunEnd::finished), std::logic_error);
  EXPECT_THROW(store.add_leg(1, sample_leg(0, "no such group", 0)), std::logic_error);
}

}  // namespace
}  // namespace qassay
