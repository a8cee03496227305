// take_pictures PAGE FOLDER: how a page looks on a desk and on a phone, in the light, in the dark,
// with scripts off and on paper.

#include <cstdio>
#include <exception>
#include <fstream>

#include "tests/browser/chromium.hpp"

namespace {

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) throw std::runtime_error(file.string() + ": cannot be written");
}

void take(const std::filesystem::path& page, const std::filesystem::path& folder) {
  const auto program = qassay::Chromium::find();
  if (!program) throw std::runtime_error("no chromium is installed");
  qassay::Chromium browser(*program);
  struct Picture {
    const char* name;
    qassay::View view;
  };
  for (const Picture& picture : {Picture{"desk-light", {1400, 900, false, true}},
                                 Picture{"desk-dark", {1400, 900, true, true}},
                                 Picture{"phone-light", {400, 800, false, true}},
                                 Picture{"phone-dark", {400, 800, true, true}},
                                 Picture{"desk-no-scripts", {1400, 900, false, false}}}) {
    browser.open(page, picture.view);
    write(folder / (std::string(picture.name) + ".png"), browser.screenshot());
  }
  browser.open(page, {1400, 900, true, true});
  write(folder / "paper.pdf", browser.pdf());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: take_pictures PAGE FOLDER\n", stderr);
    return 2;
  }
  try {
    take(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
