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

/// Runs the body in a forked process and returns what it returned, or "exception: ..." for what it
/// threw.
std::string in_child(const std::function<std::string()>& body);

/// What InputError says; fails the test when there is none.
std::string input_error(const std::function<void()>& body);

RunInfo sample_run();
/// Cases "c0", "c1", ... of one group.
std::vector<CaseRow> sample_cases(int count, const std::string& group, int legs);
/// A leg in which all of sample_cases() passed, with rounds, one metric and sample scores each.
LegRow sample_leg(int cases, const std::string& group, int leg);

}  // namespace qassay
