#include "harness/store/open.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/hash.hpp"
#include "harness/store/schema.hpp"
#include "tests/harness/store/fixture.hpp"

namespace qassay {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds kSoon{50};

/// Neither way of opening may touch the file, or put another beside it.
void expect_refused(const fs::path& path, const std::string& fault) {
  const bool file = fs::is_regular_file(path);
  const std::string before = file ? sha256_file(path) : "";
  for (const auto open : {&Store::open_for_writing, &Store::open_for_reading}) {
    const std::string said = input_error([&] { open(path, kSoon); });
    EXPECT_THAT(said, AllOf(StartsWith(path.string() + ": " + fault), HasSubstr("; ")));
    EXPECT_EQ(said.find('\n'), std::string::npos);
  }
  if (file) {
    EXPECT_EQ(sha256_file(path), before);
  }
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    EXPECT_FALSE(fs::exists(path.string() + suffix)) << suffix;
  }
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void make_store(const fs::path& path) {
  Store store = Store::open_for_writing(path, kSoon);
  store.begin_run(sample_run(), sample_cases(3, "g", 2));
}

class OpenTest : public ::testing::Test {
 protected:
  TempFolder folder_;
  fs::path path_ = folder_ / "a.db";
};

TEST_F(OpenTest, CreatesAStoreThatOpensAgain) {
  make_store(path_);
  EXPECT_EQ(Store::open_for_writing(path_, kSoon).latest_run(), 1);
  EXPECT_EQ(Store::open_for_reading(path_, kSoon).latest_run(), 1);
  EXPECT_EQ(
      Database(path_, Database::Access::read, kSoon).value<std::string>("PRAGMA journal_mode"),
      "wal");
}

TEST_F(OpenTest, TakesAnEmptyFileForANewStoreButHasNothingToReadThere) {
  write_file(path_, "");
  EXPECT_THAT(input_error([&] { Store::open_for_reading(path_, kSoon); }), HasSubstr("is empty"));
  EXPECT_EQ(Store::open_for_writing(path_, kSoon).latest_run(), std::nullopt);
}

// A process was killed, or its disk was full, just after the first page of a checkpoint: the main
// file says that it is longer than it is, and is a database only together with its log.
TEST_F(OpenTest, OpensAStoreWhoseCheckpointWasCutShort) {
  const fs::path copy = folder_ / "copy.db";
  {
    Store store = Store::open_for_writing(path_, kSoon);
    store.begin_run(sample_run(), sample_cases(3, "g", 9));
    for (int leg = 0; leg < 9; ++leg) store.add_leg(1, sample_leg(3, "g", leg));
    fs::copy(path_, copy);
    fs::copy(path_.string() + "-wal", copy.string() + "-wal");
  }
  std::string first_page(4096, '\0');
  std::ifstream(path_, std::ios::binary).read(first_page.data(), 4096);
  std::fstream(copy, std::ios::binary | std::ios::in | std::ios::out) << first_page;
  ASSERT_LT(fs::file_size(copy), fs::file_size(path_));

  EXPECT_EQ(Store::open_for_reading(copy, kSoon).finished_legs(1).size(), 9U);
  EXPECT_EQ(Store::open_for_writing(copy, kSoon).finished_legs(1).size(), 9U);
}

// A second look at an open store must not drop the locks that the first one holds.
TEST_F(OpenTest, LookingAtTheFileKeepsTheLocksOfThisProcess) {
  make_store(path_);
  Child child([&] { return input_error([&] { Store::open_for_reading(path_, kSoon); }); });
  Database holder(path_, Database::Access::write, kSoon);
  holder.execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  EXPECT_THROW(Store::open_for_reading(path_, kSoon), LockedError);
  EXPECT_THAT(child.answer(), HasSubstr("is locked by another process"));
}

TEST_F(OpenTest, NamesThatMeanSomethingInUrisAreJustNames) {
  const fs::path odd = folder_ / "50% a?b#c=d&e 'f' \xc3\xa9.db";
  make_store(odd);
  EXPECT_EQ(Store::open_for_reading(odd, kSoon).latest_run(), 1);
}

TEST_F(OpenTest, RefusesWhatIsNotThere) {
  EXPECT_THAT(input_error([&] { Store::open_for_reading(path_, kSoon); }),
              HasSubstr("a.db: does not exist"));
  EXPECT_FALSE(fs::exists(path_));
  const fs::path lost = folder_ / "no folder/a.db";
  EXPECT_THAT(input_error([&] { Store::open_for_writing(lost, kSoon); }),
              HasSubstr("no folder does not exist; create the folder"));
  EXPECT_FALSE(fs::exists(lost.parent_path()));
}

TEST_F(OpenTest, RefusesWhatIsNotADatabase) {
  write_file(path_, "name = 'default'\n");
  expect_refused(path_, "is not a database");
  write_file(path_, std::string(100'000, '\0'));
  expect_refused(path_, "is not a database");
  expect_refused(folder_.path(), "is a folder");
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  expect_refused(folder_ / "fifo", "is not a regular file");
}

TEST_F(OpenTest, RefusesAnotherProgramsDatabase) {
  {
    Database other(path_, Database::Access::write, kSoon);
    other.execute("CREATE TABLE runs (id INTEGER); PRAGMA user_version = 1");
  }
  expect_refused(path_, "is another program's database");
}

// Its owner died: opening it in the common way would fold the log in, or roll a journal back.
TEST_F(OpenTest, LeavesAnotherProgramsLogAlone) {
  const fs::path copy = folder_ / "copy.db";
  {
    Database other(path_, Database::Access::write, kSoon);
    other.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    fs::copy(path_, copy);
    fs::copy(path_.string() + "-wal", copy.string() + "-wal");
  }
  const std::string before = sha256_file(copy) + sha256_file(copy.string() + "-wal");
  EXPECT_THAT(input_error([&] { Store::open_for_writing(copy, kSoon); }),
              HasSubstr("another program's database"));
  EXPECT_EQ(sha256_file(copy) + sha256_file(copy.string() + "-wal"), before);
}

TEST_F(OpenTest, RefusesANewerSchema) {
  make_store(path_);
  { Database(path_, Database::Access::write, kSoon).execute("PRAGMA user_version = 3"); }
  expect_refused(path_, "is of schema version 3, newer than the 2 that this program knows");
}

TEST_F(OpenTest, RefusesANewerSchemaThatOnlyTheLogTells) {
  make_store(path_);
  const fs::path copy = folder_ / "copy.db";
  {
    Database newer(path_, Database::Access::write, kSoon);
    newer.execute("PRAGMA user_version = 3");
    fs::copy(path_, copy);
    fs::copy(path_.string() + "-wal", copy.string() + "-wal");
  }
  const std::string before = sha256_file(copy) + sha256_file(copy.string() + "-wal");
  for (const auto open : {&Store::open_for_writing, &Store::open_for_reading}) {
    EXPECT_THAT(input_error([&] { open(copy, kSoon); }), HasSubstr("schema version 3"));
  }
  EXPECT_EQ(sha256_file(copy) + sha256_file(copy.string() + "-wal"), before);
}

TEST_F(OpenTest, ReadingAnOlderSchemaAsksForACommandThatWrites) {
  {
    Database old(path_, Database::Access::write, kSoon);
    old.execute(fmt::format("CREATE TABLE t (a); PRAGMA application_id = {}", kStoreApplicationId));
  }
  EXPECT_THAT(input_error([&] { Store::open_for_reading(path_, kSoon); }),
              HasSubstr("is of the older schema version 0"));
}

TEST_F(OpenTest, RefusesADamagedStore) {
  make_store(path_);
  fs::resize_file(path_, fs::file_size(path_) / 2);
  const std::string before = sha256_file(path_);
  EXPECT_THAT(input_error([&] { Store::open_for_writing(path_, kSoon); }),
              HasSubstr("a.db: is damaged ("));
  EXPECT_THAT(input_error([&] { Store::open_for_reading(path_, kSoon).records(1); }),
              HasSubstr("a.db: is damaged ("));
  EXPECT_EQ(sha256_file(path_), before);
}

TEST_F(OpenTest, RefusesOverwrittenPages) {
  make_store(path_);
  {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);
    file << std::string(fs::file_size(path_) - 4096, '\xa5');
  }
  const std::string before = sha256_file(path_);
  EXPECT_THAT(input_error([&] { Store::open_for_writing(path_, kSoon); }),
              HasSubstr("a.db: is damaged ("));
  EXPECT_EQ(sha256_file(path_), before);
}

TEST_F(OpenTest, RefusesAStoreThatAnotherProcessHoldsForItself) {
  make_store(path_);
  Child child([&] {
    return input_error([&] { Store::open_for_writing(path_, kSoon); }) + "\n" +
           input_error([&] { Store::open_for_reading(path_, kSoon); });
  });
  Database holder(path_, Database::Access::write, kSoon);
  holder.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const std::string fault = path_.string() + ": is locked by another process; wait";
  EXPECT_THAT(child.answer(), AllOf(StartsWith(fault), HasSubstr("\n" + fault)));
}

TEST_F(OpenTest, LongWriteOfAnotherProcessEndsTheWaitOfAWriter) {
  make_store(path_);
  Child child([&] {
    Store store = Store::open_for_writing(path_, kSoon);
    const std::string leg = input_error([&] { store.add_leg(1, sample_leg(3, "g", 0)); });
    return leg + fmt::format(" legs {}", store.finished_legs(1).size());
  });
  Database holder(path_, Database::Access::write, kSoon);
  const Transaction held(holder);
  EXPECT_THAT(child.answer(),
              AllOf(HasSubstr("is locked by another process"), HasSubstr("legs 0")));
}

// Root may write everything: the tests of permissions become another user in a child.
std::string as_plain_user(const std::function<std::string()>& body) {
  return in_child([&]() -> std::string {
    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) return "cannot change user";
    return body();
  });
}

TEST_F(OpenTest, ReadOnlyFileIsReadAndNotWritten) {
  make_store(path_);
  fs::permissions(path_, fs::perms(0444));
  const std::string before = sha256_file(path_);
  EXPECT_THAT(
      as_plain_user([&] { return input_error([&] { Store::open_for_writing(path_, kSoon); }); }),
      StartsWith(path_.string() + ": may not be written; change its permissions"));
  EXPECT_EQ(as_plain_user([&] {
              return fmt::format("{} records",
                                 Store::open_for_reading(path_, kSoon).records(1).size());
            }),
            "3 records");
  EXPECT_EQ(sha256_file(path_), before);
}

TEST_F(OpenTest, FileInAReadOnlyFolderIsReadAndNotWritten) {
  make_store(path_);
  fs::permissions(path_, fs::perms(0666));
  fs::permissions(folder_.path(), fs::perms(0555));
  const std::string before = sha256_file(path_);
  EXPECT_THAT(
      as_plain_user([&] { return input_error([&] { Store::open_for_writing(path_, kSoon); }); }),
      AllOf(StartsWith(path_.string()), HasSubstr("folder")));
  EXPECT_THAT(as_plain_user([&] {
                return input_error([&] { Store::open_for_writing(folder_ / "new.db", kSoon); });
              }),
              AllOf(StartsWith((folder_ / "new.db").string()), HasSubstr("folder")));
  EXPECT_EQ(as_plain_user([&] {
              return fmt::format("{} records",
                                 Store::open_for_reading(path_, kSoon).records(1).size());
            }),
            "3 records");
  EXPECT_EQ(sha256_file(path_), before);
}

TEST_F(OpenTest, UnreadableFileSaysSo) {
  make_store(path_);
  fs::permissions(path_, fs::perms(0));
  for (const auto open : {&Store::open_for_writing, &Store::open_for_reading}) {
    EXPECT_THAT(as_plain_user([&] { return input_error([&] { open(path_, kSoon); }); }),
                StartsWith(path_.string() + ": cannot be opened (Permission denied); check"));
  }
}

// A small disk of our own, in a mount namespace that ends with the child.
bool mount_small_disk(const fs::path& folder) {
  const int spaces = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  return unshare(spaces) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=700k") == 0;
}

TEST_F(OpenTest, FullDiskLosesTheLegInHandAndNothingElse) {
  const std::string said = in_child([&]() -> std::string {
    if (!mount_small_disk(folder_.path())) return "no mount";
    constexpr int kPlenty = 100'000;
    int added = 0;
    std::string fault;
    {
      Store store = Store::open_for_writing(path_, kSoon);
      store.begin_run(sample_run(), sample_cases(4, "g", kPlenty));
      try {
        for (; added < kPlenty; ++added) store.add_leg(1, sample_leg(4, "g", added));
      } catch (const InputError& error) {
        fault = error.what();
      }
    }
    const Store store = Store::open_for_reading(path_, kSoon);
    const Database plain(path_, Database::Access::read, kSoon);
    return fmt::format("{} | lost {} | integrity {} | some {}", fault,
                       added - static_cast<int>(store.legs(1, "g").size()),
                       plain.value<std::string>("PRAGMA integrity_check"), added > 0);
  });
  if (said == "no mount") GTEST_SKIP() << "this system lets nobody mount a small disk";
  EXPECT_EQ(said, path_.string() +
                      ": cannot grow, the disk is full; free some space and go on; what was stored "
                      "before is unharmed | lost 0 | integrity ok | some true");
}

TEST_F(OpenTest, FullDiskAtTheStartLeavesNoHalfStore) {
  const std::string said = in_child([&]() -> std::string {
    if (!mount_small_disk(folder_.path())) return "no mount";
    write_file(folder_ / "ballast", std::string(640'000, 'x'));
    std::string fault = input_error([&] { make_store(path_); });
    fs::remove(folder_ / "ballast");
    make_store(path_);
    return fault + fmt::format(" | run {}", *Store::open_for_reading(path_, kSoon).latest_run());
  });
  if (said == "no mount") GTEST_SKIP() << "this system lets nobody mount a small disk";
  EXPECT_THAT(said, AllOf(HasSubstr("the disk is full"), HasSubstr("| run 1")));
}

}  // namespace
}  // namespace qassay
