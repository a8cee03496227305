#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/report.hpp"

namespace qassay {

/// A table of the page, in a frame of its own that scrolls sideways where the window is narrow. Its
/// caption is for those who hear the page: who sees it has the heading above.
/// All texts are given unescaped; `raw` cells are HTML already.
class Table {
 public:
  struct Column {
    std::string_view title;
    bool number = false;  // set flush right
  };

  /// `limit`: rows beyond it are counted, not shown.
  Table(std::string_view caption, std::vector<Column> columns, std::size_t limit = kMaxTableRows);

  /// Starts a row; its first cell is the row's heading.
  void row();
  void cell(std::string_view text);
  /// `attributes` of the cell's element, each with a space before it.
  void raw(std::string_view html, std::string_view attributes = {});

  std::size_t rows() const { return rows_; }
  /// The table, or `otherwise` (a sentence) when it has no rows.
  std::string text(std::string_view otherwise) const;

 private:
  void put(std::string_view html, std::string_view attributes);

  std::string caption_;
  std::vector<Column> columns_;
  std::size_t limit_;
  std::string body_;
  std::size_t rows_ = 0;
  std::size_t column_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace qassay
