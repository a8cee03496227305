#include "harness/store/database.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/harness/store/fixture.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() : database_(open()) {
    database_.execute(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, r REAL, t TEXT, b BLOB) STRICT");
  }

  Database open() const {
    return {folder_ / "a.db", Database::Access::write, std::chrono::milliseconds(50)};
  }
  int count() const { return database_.value<int>("SELECT count(*) FROM things"); }

  TempFolder folder_;
  Database database_;
};

TEST_F(DatabaseTest, ReadsBackWhatWasBound) {
  const std::int64_t id = std::numeric_limits<std::int64_t>::max();
  const double real = std::nextafter(0.1, 1.0);
  const std::string text("quote ' nul \0 \xff end", 19);
  const std::vector<std::uint8_t> bytes{0, 255, 0, 7};
  database_.prepare("INSERT INTO things VALUES (?1, ?2, ?3, ?4)").bind(id, real, text, bytes).run();

  Statement select = database_.prepare("SELECT id, r, t, b FROM things");
  ASSERT_TRUE(select.next());
  std::int64_t got_id = 0;
  double got_real = 0;
  std::string got_text;
  std::vector<std::uint8_t> got_bytes;
  select.read(got_id, got_real, got_text, got_bytes);
  EXPECT_EQ(got_id, id);
  EXPECT_EQ(got_real, real);
  EXPECT_EQ(got_text, text);
  EXPECT_EQ(got_bytes, bytes);
  EXPECT_FALSE(select.next());
}

TEST_F(DatabaseTest, EmptyTextAndBytesAreNotNull) {
  database_.prepare("INSERT INTO things VALUES (1, 0.0, ?1, ?2)")
      .bind(std::string_view(), std::vector<std::uint8_t>())
      .run();
  EXPECT_EQ(database_.value<int>("SELECT t IS NOT NULL AND b IS NOT NULL FROM things"), 1);
}

TEST_F(DatabaseTest, RefusesFiguresThatAreNotFinite) {
  Statement insert = database_.prepare("INSERT INTO things (r) VALUES (?1)");
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    EXPECT_THROW(insert.bind(bad), std::logic_error) << bad;
  }
  insert.bind(std::numeric_limits<double>::denorm_min()).run();
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, TransactionWithoutCommitLeavesNothing) {
  {
    Transaction transaction(database_);
    database_.execute("INSERT INTO things (r) VALUES (1.0)");
  }
  EXPECT_EQ(count(), 0);
  Transaction transaction(database_);
  database_.execute("INSERT INTO things (r) VALUES (1.0)");
  transaction.commit();
  EXPECT_EQ(count(), 1);
}

TEST(DatabaseLockTest, LockOfAnotherProcessEndsTheWaitWithAnInputError) {
  const TempFolder folder;
  const auto open = [&] {
    return Database(folder / "a.db", Database::Access::write, std::chrono::milliseconds(50));
  };
  Child child([&] {
    Database other = open();
    try {
      const Transaction wanted(other);
    } catch (const LockedError& error) {
      return std::string(error.what());
    }
    return std::string("not locked");
  });
  Database database = open();
  const Transaction held(database);
  EXPECT_THAT(child.answer(), HasSubstr("a.db: is locked by another process; wait"));
}

TEST_F(DatabaseTest, FullDiskRollsBackAndSaysSo) {
  const int pages = database_.value<int>("PRAGMA page_count");
  database_.value<int>("PRAGMA max_page_count = " + std::to_string(pages + 4));
  Statement insert = database_.prepare("INSERT INTO things (b) VALUES (zeroblob(100))");
  const std::string said = input_error([&] {
    Transaction transaction(database_);
    for (int i = 0; i < 100'000; ++i) insert.bind().run();
    transaction.commit();
  });
  EXPECT_THAT(said, HasSubstr("a.db: cannot grow, the disk is full; free some space"));
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(database_.value<std::string>("PRAGMA integrity_check"), "ok");
}

TEST_F(DatabaseTest, TellsRowsThatAreThereFromRowsThatMakeNoSense) {
  database_.execute("INSERT INTO things (id) VALUES (1)");
  EXPECT_THAT(input_error([&] { database_.execute("INSERT INTO things (id) VALUES (1)"); }),
              HasSubstr("already holds this row"));
  EXPECT_THROW(database_.execute("INSERT INTO things (r) VALUES ('text')"), std::logic_error);
  EXPECT_THROW(database_.prepare("SELECT nonsense"), std::logic_error);
}

TEST_F(DatabaseTest, ReadingConnectionRefusesToWriteAndLeavesNoFilesBehind) {
  database_.execute("PRAGMA journal_mode = WAL");
  const TempFolder other;
  { database_ = Database(other / "b.db", Database::Access::write, std::chrono::milliseconds(50)); }
  {
    Database reading(folder_ / "a.db", Database::Access::read, std::chrono::milliseconds(50));
    EXPECT_EQ(reading.value<int>("SELECT count(*) FROM things"), 0);
    EXPECT_THAT(input_error([&] { reading.execute("INSERT INTO things (r) VALUES (1.0)"); }),
                HasSubstr("may not be written"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.db-shm"));
}

}  // namespace
}  // namespace qassay
