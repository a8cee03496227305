#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/store/store.hpp"

namespace qassay {

/// A folder of its own, gone with the object; open to every user, for tests that change theirs.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A process forked at once, which does its work when it is asked for the answer. Fork it before
/// anything of SQLite is open: an open connection that is forked takes the parent's locks for its
/// own.
class Child {
 public:
  explicit Child(const std::function<std::string()>& work);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// What the work returned, or "exception: ..." for what it threw.
  std::string answer();

 private:
  int start_ = -1;
  int answer_ = -1;
  int process_ = -1;
};

std::string in_child(const std::function<std::string()>& work);

/// What InputError says; fails the test when there is none.
std::string input_error(const std::function<void()>& body);

RunInfo sample_run();
/// Cases "c0", "c1", ... of one group.
std::vector<CaseRow> sample_cases(int count, const std::string& group, int legs);
/// A leg in which all of sample_cases() passed, with rounds, one metric and sample scores each.
LegRow sample_leg(int cases, const std::string& group, int leg);

}  // namespace qassay
