#include <fmt/format.h>

#include <algorithm>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

/// The flips of one model.
class ModelFlips {
 public:
  explicit ModelFlips(const std::string& model)
      : model_(model),
        table_(fmt::format("Changed predictions by scheme and backend, {}", model),
               {{"Scheme"},
                {"Backend"},
                {"Answers changed", true},
                {"Same answer as FP32", true},
                {"Right → wrong", true},
                {"Wrong → right", true},
                {"More one way than the other?"}}) {}

  const std::string& model() const { return model_; }

  void add(const Cell& cell) {
    if (!has_plain_kv_cache(*cell.about)) return;
    const Record* agreement = cell.find("agreement");
    if (agreement == nullptr) agreement = cell.find("top1_agreement");  // of the next token
    const Record* floor = cell.find("floor_flips");
    if (agreement == nullptr && floor == nullptr) return;
    const Record* p = cell.find("mcnemar_p");
    table_.row();
    table_.cell(cell.about->scheme);
    table_.cell(cell.about->backend);
    table_.raw(html(changed_text(agreement, floor)) + doubt_mark(cell));
    table_.cell(record_text(agreement));
    table_.cell(count_text(cell.find("flips_lost")));
    table_.cell(count_text(cell.find("flips_won")));
    table_.cell(p == nullptr ? "–" : chance_words(p->value));
    if (floor != nullptr) largest_floor_ = std::max(largest_floor_, floor->value);
  }

  std::string text() const {
    if (table_.rows() == 0) return {};
    std::string floor;
    if (largest_floor_ >= 0) {
      floor = fmt::format(
          "<p>The floor: FP32 changes {} of its own prediction{} when it runs again or in another "
          "batch. {}</p>\n",
          largest_floor_ == 0 ? "none" : fmt::format("{:.0f}", largest_floor_),
          largest_floor_ == 1 ? "" : "s",
          largest_floor_ == 0 ? "Every change below comes from the numbers' format or the kernel."
                              : "So few changes by a scheme say nothing of it.");
    }
    return fmt::format("<h3>{}</h3>\n{}{}", html(model_), floor, table_.text(""));
  }

 private:
  /// FP32's own changes are the floor of all others.
  static std::string changed_text(const Record* agreement, const Record* floor) {
    std::string words;
    if (agreement != nullptr) {
      const auto samples = static_cast<double>(agreement->count);
      words = fmt::format("{:.0f}", (1 - agreement->value) * samples);
    }
    if (floor == nullptr) return words;
    return fmt::format("{}{} by itself", words.empty() ? "" : words + ", ", count_text(floor));
  }
  static std::string count_text(const Record* record) {
    return record == nullptr ? "–" : fmt::format("{:.0f}", record->value);
  }

  std::string model_;
  Table table_;
  double largest_floor_ = -1;
};

}  // namespace

std::string flips_section(const Results& results) {
  std::vector<ModelFlips> models;
  for (const Cell& cell : results.cells) {
    if (!cell.whole_model()) continue;
    if (models.empty() || models.back().model() != cell.about->model) {
      models.emplace_back(cell.about->model);
    }
    models.back().add(cell);
  }
  std::string result;
  for (const ModelFlips& model : models) result += model.text();
  if (result.empty()) return "<p class=\"nothing\">No predictions were compared in this run.</p>\n";
  return "<p>Two models can be right equally often and still answer differently. Here is how many "
         "answers changed, and which way. Changes both ways cancel in the accuracy; that there are "
         "more of one kind is <em>real</em> where chance alone would hardly do it (McNemar's exact "
         "test, p below 0.05). Answers of a language model are its most likely next tokens, which "
         "depend "
         "on each other: no test is made of them.</p>\n" +
         result;
}

}  // namespace qassay
