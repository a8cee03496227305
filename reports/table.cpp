#include "reports/table.hpp"

#include <fmt/format.h>

#include "reports/html.hpp"

namespace qassay {

Table::Table(std::string_view caption, std::vector<Column> columns, std::size_t limit)
    : caption_(html(caption)), columns_(std::move(columns)), limit_(limit) {}

void Table::row() {
  if (rows_ == limit_) {
    ++left_out_;
    return;
  }
  body_ += rows_ == 0 ? "<tr>" : "</tr>\n<tr>";
  ++rows_;
  column_ = 0;
}

void Table::cell(std::string_view text) { put(html(text), {}); }
void Table::raw(std::string_view text, std::string_view attributes) { put(text, attributes); }

void Table::put(std::string_view text, std::string_view attributes) {
  if (left_out_ > 0) return;
  const std::string_view style = columns_.at(column_).number ? " class=\"number\"" : "";
  if (column_ == 0) {
    body_ += fmt::format("<th scope=\"row\"{}{}>{}</th>", style, attributes, text);
  } else {
    body_ += fmt::format("<td{}{}>{}</td>", style, attributes, text);
  }
  ++column_;
}

std::string Table::text(std::string_view otherwise) const {
  if (rows_ + left_out_ == 0) return fmt::format("<p class=\"nothing\">{}</p>\n", html(otherwise));
  std::string head;
  for (const Column& column : columns_) {
    head += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"number\"" : "",
                        html(column.title));
  }
  const std::string rows = rows_ == 0 ? "" : body_ + "</tr>";
  std::string result = fmt::format(
      "<div class=\"frame\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table>"
      "<caption "
      "class=\"hidden\">{0}</caption>\n<thead><tr>{1}</tr></thead>\n<tbody>{2}</tbody></table></"
      "div>\n",
      caption_, head, rows);
  if (left_out_ > 0) {
    result += fmt::format(
        "<p class=\"nothing\">{} more rows are left out here; the export has them all.</p>\n",
        left_out_);
  }
  return result;
}

}  // namespace qassay
