#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "reports/report.hpp"

namespace qassay {

inline std::string page_of(const ReportInput& input) {
  std::ostringstream out;
  write_report(input, out);
  return out.str();
}

/// The HTML of one section, from its heading on.
inline std::string section(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find("<section id=\"" + id + "\">");
  if (begin == page.npos) throw std::logic_error("the page has no section " + id);
  return page.substr(begin, page.find("</section>", begin) - begin);
}

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace qassay
