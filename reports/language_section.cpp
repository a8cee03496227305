// What language models lose on text. Cells of one model differ in scheme, backend and KV cache; the
// chart shows those whose KV cache is as FP32's.

#include <fmt/format.h>

#include <algorithm>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

using ModelCells = std::pair<std::string, std::vector<const Cell*>>;

std::vector<ModelCells> scored_models(const Results& results) {
  std::vector<ModelCells> models;
  for (const Cell& cell : results.cells) {
    if (!cell.whole_model() || cell.find("perplexity") == nullptr) continue;
    if (models.empty() || models.back().first != cell.about->model)
      models.push_back({cell.about->model, {}});
    models.back().second.push_back(&cell);
  }
  return models;
}

/// Whether the baseline is a checkpoint's own weights.
bool is_dequantized(const ModelCells& model) {
  return std::ranges::any_of(model.second, [](const Cell* cell) {
    return cell->find("kl_mean", kDequantized) != nullptr;
  });
}

/// What FP32 is of a checkpoint without its float original.
std::string baseline_note(const ModelCells& model) {
  if (!is_dequantized(model)) return {};
  return "<p class=\"legend\">FP32 is here the checkpoint's own weights, dequantized: losses and "
         "divergences are those of kernels, activations and caches alone, and say nothing of what "
         "was lost when it was quantized. <code>--original DIR</code> names the float model that "
         "it was made of.</p>\n";
}

std::string chart(const ModelCells& model, Charts& charts) {
  std::vector<ChartBar> bars;
  for (const Cell* cell : model.second) {
    const Record& about = *cell->about;
    const Record* kl = cell->trusted() ? cell->find("kl_mean") : nullptr;
    if (kl == nullptr || about.scheme == "FP32" || !has_plain_kv_cache(about)) continue;
    bars.push_back({fmt::format("{} · {}", about.scheme, about.backend), about.backend,
                    figure_of(*kl), record_text(kl)});
  }
  return charts.bars(
      fmt::format("Divergence from {}, {}",
                  is_dequantized(model) ? "its weights, dequantized" : "FP32", model.first),
      {"mean KL divergence, millinats a token (lower is better)", 1e3}, 0, bars);
}

bool is_baseline(const Record& about) {
  return about.scheme == "FP32" && has_plain_kv_cache(about);
}

/// A ratio as what it is above 1, in percent.
std::string growth_text(const Record* ratio) {
  if (ratio == nullptr) return "–";
  const auto percent = [](double value) { return 100 * (value - 1); };
  return figure_text({percent(ratio->value), percent(ratio->low), percent(ratio->high)}, "percent");
}

std::string table(const ModelCells& model) {
  Table table(fmt::format("Loss on text by scheme and backend, {}", model.first),
              {{"Scheme"},
               {"Method"},
               {"Backend"},
               {"KV cache"},
               {"Perplexity", true},
               {"Grown by", true},
               {"Bits a byte", true},
               {"Right next token", true},
               {"Lost of those", true},
               {"Same next token as FP32", true},
               {"KL divergence, mean", true},
               {"99.9 % quantile", true}});
  for (const Cell* cell : model.second) {
    const Record& about = *cell->about;
    table.row();
    table.cell(about.scheme);
    table.cell(about.method);
    table.cell(about.backend);
    table.cell(about.kv_cache);
    const Record* perplexity = cell->find("perplexity");
    table.raw(html(figure_text(figure_of(*perplexity), "")) + doubt_mark(*cell));
    const auto compared = [&](const std::string& text) {
      table.cell(is_baseline(about) ? "is the baseline" : text);
    };
    compared(growth_text(cell->find("perplexity_ratio")));
    const Record* bits = cell->find("bits_per_byte");
    table.cell(bits == nullptr ? "–" : figure_text(figure_of(*bits), ""));
    table.cell(record_text(cell->find("next_token_accuracy")));
    for (const char* metric : {"loss", "top1_agreement", "kl_mean", "kl_p999"})
      compared(record_text(cell->find(metric)));
  }
  return table.text("");
}

}  // namespace

std::string language_losses(const Results& results, Charts& charts) {
  std::string result;
  for (const ModelCells& model : scored_models(results)) {
    const Cell& first = *model.second.front();
    result += fmt::format(
        "<h3>{}</h3>\n<p class=\"legend\">On {} tokens, as follows; figures that were taken "
        "otherwise do not compare with these: <code>{}</code></p>\n{}{}{}",
        html(model.first), first.find("perplexity")->count, html(first.about->protocol),
        baseline_note(model), chart(model, charts), table(model));
  }
  return result;
}

}  // namespace qassay
