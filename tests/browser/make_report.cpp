// make_report FILE: writes the sample report, to be looked at.

#include <cstdio>
#include <fstream>

#include "tests/browser/sample_report.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_report FILE\n", stderr);
    return 2;
  }
  std::ofstream out(argv[1], std::ios::binary);
  qassay::write_report(qassay::sample_report(), out);
  out.close();
  if (!out) {
    std::fprintf(stderr, "%s: cannot be written; choose a place that can\n", argv[1]);
    return 2;
  }
  return 0;
}
