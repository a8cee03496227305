// The page as a reader meets it: in headless Chromium, by window, colour scheme, paper and scripts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "embedded/chart_js.hpp"
#include "reports/report.hpp"
#include "tests/browser/chromium.hpp"
#include "tests/browser/sample_report.hpp"

namespace qassay {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kCharts = 22;            // of the sample
constexpr double kLegibleText = 4.5;   // WCAG 2.2, 1.4.3
constexpr double kLegibleShape = 3.0;  // WCAG 2.2, 1.4.11

/// Functions that checks below share: colours and their contrast, as WCAG defines it.
constexpr char kContrast[] = R"js(
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  function parts(color) {
    if (!known.has(color)) {
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = color;
      pixel.fillRect(0, 0, 1, 1);
      known.set(color, Array.from(pixel.getImageData(0, 0, 1, 1).data));
    }
    return known.get(color);
  }
  function luminance(color) {
    const linear = color.slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }
  function contrast(a, b) {
    const bright = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (bright[0] + 0.05) / (bright[1] + 0.05);
  }
  function background(element) {
    for (let each = element; each; each = each.parentElement) {
      const color = parts(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
      if (color[3] !== 0) throw new Error("a see-through background is not understood");
    }
    return [255, 255, 255, 255];
  }
)js";

class ReportPageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto program = Chromium::find();
    if (!program) GTEST_SKIP() << "no chromium is installed (Debian package chromium)";
    browser_ = std::make_unique<Chromium>(*program);
    page_ = std::filesystem::path(::testing::TempDir()) /
            (std::string("qassay-") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".html");
  }
  void TearDown() override {
    if (!page_.empty()) std::filesystem::remove(page_);
  }

  void show(const ReportInput& input, const View& view) {
    std::ofstream out(page_, std::ios::binary);
    write_report(input, out);
    out.close();
    ASSERT_TRUE(out.good());
    browser_->open(page_, view);
  }
  json ask(const std::string& expression) { return browser_->evaluate(expression); }

  /// {"least": smallest contrast of any text that is shown, "where": its text, "texts": how many}
  json text_contrast() {
    return ask(std::string("(() => {") + kContrast + R"js(
      let least = 100, where = "", texts = 0;
      for (const element of document.querySelectorAll("body *")) {
        const own = Array.from(element.childNodes)
          .filter(node => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
        if (own.length === 0 || !element.checkVisibility() || element.closest("script")) continue;
        ++texts;
        const ratio = contrast(parts(getComputedStyle(element).color), background(element));
        if (ratio < least) { least = ratio; where = element.outerHTML.slice(0, 200); }
      }
      return { least, where, texts };
    })())js");
  }

  /// The least contrast of charts' words and of their bars and points with what is behind them.
  json chart_contrast() {
    return ask(std::string("(() => {") + kContrast + R"js(
      let words = 100, marks = 100, charts = 0;
      for (const canvas of document.querySelectorAll("figure.drawn canvas")) {
        const chart = Chart.getChart(canvas);
        const behind = background(canvas);
        ++charts;
        for (const axis of [chart.options.scales.x, chart.options.scales.y]) {
          words = Math.min(words, contrast(parts(axis.ticks.color), behind),
                           contrast(parts(axis.title.color), behind));
        }
        for (const dataset of chart.data.datasets) {
          for (const color of [].concat(dataset.backgroundColor)) {
            marks = Math.min(marks, contrast(parts(color), behind));
          }
        }
      }
      return { words, marks, charts };
    })())js");
  }

  std::unique_ptr<Chromium> browser_;
  std::filesystem::path page_;
};

json expected_row(const VerdictRow& row) {
  return {{"id", row.id},
          {"verdict", row.verdict},
          {"reason", row.reason},
          {"kind", row.kind},
          {"scheme", row.scheme},
          {"regime", row.regime},
          {"backend", row.backend},
          {"baseline", row.baseline},
          {"estimate", row.estimate},
          {"low", row.low},
          {"high", row.high},
          {"claimedLow", row.claimed_low},
          // Written as JSON, infinity is null.
          {"claimedHigh", row.claimed_high},
          {"covered", row.covered},
          {"cells", row.cells}};
}

TEST_F(ReportPageTest, HasAVerdictRowForEveryVerdict) {
  const ReportInput input = sample_report();
  show(input, {});
  const json rows = ask(R"js(
    Array.from(document.querySelectorAll("tr.verdict"), row => {
      const fields = Object.assign({}, row.dataset);
      for (const name of ["estimate", "low", "high", "claimedLow", "claimedHigh", "covered", "cells"]) {
        fields[name] = fields[name] === "inf" ? null : Number(fields[name]);
      }
      return fields;
    }))js");
  ASSERT_THAT(rows, SizeIs(input.verdicts.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i], json::parse(expected_row(input.verdicts[i]).dump())) << i;
  }
}

TEST_F(ReportPageTest, DrawsItsCharts) {
  if (embedded::chart_js().empty()) GTEST_SKIP() << "this build has no Chart.js";
  show(sample_report(), {});
  const json charts = ask(R"js(
    Array.from(document.querySelectorAll("figure[data-chart]"), figure => {
      const canvas = figure.querySelector("canvas");
      const context = canvas.getContext("2d");
      const pixels = new Uint32Array(
        context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      const chart = Chart.getChart(canvas);
      const ratio = chart.currentDevicePixelRatio;
      const missed = chart.getSortedVisibleDatasetMetas().flatMap(meta => meta.data.filter(mark => {
        const x = chart.options.indexAxis === "y" ? (mark.base + mark.x) / 2 : mark.x;
        return context.getImageData(x * ratio, mark.y * ratio, 1, 1).data[3] === 0;
      }));
      return {
        shown: figure.checkVisibility(),
        colors: new Set(pixels).size,
        inked: pixels.filter(pixel => pixel !== 0).length / pixels.length,
        marks: chart.data.datasets.reduce((sum, dataset) => sum + dataset.data.length, 0),
        missed: missed.length
      };
    }))js");
  // Two regimes of whole networks, six of layers and six of speed against loss; two models' losses,
  // one network's errors (accumulated, alone), three models' memory.
  ASSERT_THAT(charts, SizeIs(kCharts));
  for (const json& chart : charts) {
    EXPECT_TRUE(chart["shown"].get<bool>());
    EXPECT_GT(chart["colors"].get<int>(), 10) << chart;
    EXPECT_GT(chart["inked"].get<double>(), 0.02) << chart;
    EXPECT_GT(chart["marks"].get<int>(), 5) << chart;
    EXPECT_EQ(chart["missed"].get<int>(), 0) << chart;
  }
}

TEST_F(ReportPageTest, ShowsBarsBesideAnIntervalOutOfAllProportion) {
  if (embedded::chart_js().empty()) GTEST_SKIP() << "this build has no Chart.js";
  ReportInput input = sample_report();
  const auto latency =
      std::find_if(input.records.begin(), input.records.end(), [](const Record& record) {
        return record.layer.empty() && record.m == 1 && record.metric == "latency";
      });
  ASSERT_NE(latency, input.records.end());
  latency->high = latency->value * 1e5;  // as two legs can give
  show(input, {});
  const json axis = ask("Chart.getChart(document.querySelector('canvas')).scales.x.max");
  EXPECT_LT(axis.get<double>(), latency->value * 1e3 * 5) << "ms";
}

TEST_F(ReportPageTest, DoesNotScrollSidewaysAt400Pixels) {
  for (const bool scripts : {true, false}) {
    show(sample_report(), {400, 800, false, scripts});
    ASSERT_EQ(ask("innerWidth"), 400);
    EXPECT_LE(ask("document.documentElement.scrollWidth").get<int>(), 400);
    const json sticking_out = ask(R"js(
      Array.from(document.querySelectorAll("body *"))
        .filter(element => element.checkVisibility() && !element.closest(".frame, pre, .hidden"))
        .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
        .map(element => element.outerHTML.slice(0, 120)))js");
    EXPECT_THAT(sticking_out, SizeIs(0)) << sticking_out;
  }
}

TEST_F(ReportPageTest, IsLegibleInTheDarkAndInTheLight) {
  for (const bool dark : {true, false}) {
    ReportInput input = sample_report();
    input.quick = true;  // the banner too
    show(input, {1280, 900, dark, true});
    ask("document.querySelectorAll('details').forEach(each => { each.open = true; })");
    const json texts = text_contrast();
    EXPECT_GT(texts["texts"].get<int>(), 500);
    EXPECT_GE(texts["least"].get<double>(), kLegibleText) << texts["where"];
    const json page = ask(std::string("(() => {") + kContrast +
                          "return luminance(background(document.body)); })()");
    EXPECT_EQ(page.get<double>() < 0.2, dark);
    if (embedded::chart_js().empty()) continue;
    const json charts = chart_contrast();
    EXPECT_EQ(charts["charts"], kCharts);
    EXPECT_GE(charts["words"].get<double>(), kLegibleText);
    EXPECT_GE(charts["marks"].get<double>(), kLegibleShape);
  }
}

TEST_F(ReportPageTest, FollowsAChangeOfColourScheme) {
  if (embedded::chart_js().empty()) GTEST_SKIP() << "this build has no Chart.js";
  // Media queries are looked at anew when a frame is drawn.
  const std::string tick = R"js(
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
      done(Chart.getChart(document.querySelector("canvas")).options.scales.x.ticks.color)))))js";
  show(sample_report(), {1280, 900, false, true});
  const json light = ask(tick);
  browser_->prefer(true);
  const json dark = ask(tick);
  EXPECT_NE(dark, light);
  browser_->prefer(false);
  EXPECT_EQ(ask(tick), light);
}

TEST_F(ReportPageTest, ShowsPlantedMarkupAsText) {
  ReportInput input = sample_report();
  const std::string planted_backend = "</script><b>blas</b><img src=x onerror='document.title=1'>";
  for (Record& record : input.records) {
    if (record.backend == "openblas") record.backend = planted_backend;
  }
  show(input, {});
  EXPECT_EQ(ask("document.querySelectorAll('b, i, img').length"), 0);
  EXPECT_EQ(ask("document.scripts.length"), 3);
  EXPECT_EQ(ask("document.title"), input.title);
  const json layers = ask(R"js(
    Array.from(document.querySelectorAll("tbody th"), cell => cell.textContent)
      .filter(text => text.includes("script")))js");
  ASSERT_GT(layers.size(), 10U);
  EXPECT_THAT(layers.get<std::vector<std::string>>(), Each(kPlantedLayer));
  const json families =
      ask("JSON.parse(document.getElementById('charts').textContent)"
          ".flatMap(chart => chart.rows.map(row => row.family ?? row.label))");
  EXPECT_THAT(families.get<std::vector<std::string>>(), ::testing::Contains(planted_backend));
}

TEST_F(ReportPageTest, StandsWithScriptsOff) {
  const ReportInput input = sample_report();
  show(input, {1280, 900, false, false});
  EXPECT_EQ(ask("document.querySelectorAll('figure.drawn').length"), 0);
  EXPECT_EQ(ask("Array.from(document.querySelectorAll('figure')).filter(each => "
                "each.checkVisibility()).length"),
            0)
      << "an empty chart is shown";
  const json shown = ask(R"js(
    Array.from(document.querySelectorAll("section"), section => ({
      id: section.id,
      words: section.innerText.length,
      rows: Array.from(section.querySelectorAll("tbody tr")).filter(row => row.checkVisibility()).length
    })))js");
  ASSERT_THAT(shown, SizeIs(13));
  const auto testable =
      std::count_if(input.verdicts.begin(), input.verdicts.end(),
                    [](const VerdictRow& row) { return row.verdict != "not_testable"; });
  EXPECT_EQ(shown[0]["rows"], testable) << "the others are folded away";
  for (const json& section : shown) {
    EXPECT_GT(section["words"].get<int>(), 100) << section;
    if (section["id"] == "method" || section["id"] == "methods") continue;  // prose
    EXPECT_GT(section["rows"].get<int>(), 5) << section;
  }
}

TEST_F(ReportPageTest, ShadesWhatWasReachedByItsShareOfTheCeiling) {
  show(sample_report(), {});
  const json cells = ask(std::string("(() => {") + kContrast + R"js(
    return Array.from(document.querySelectorAll("#roofline td[style]"), cell => ({
      share: parseFloat(cell.style.getPropertyValue("--reached")),
      light: luminance(parts(getComputedStyle(cell).backgroundColor))
    })).sort((a, b) => a.share - b.share);
  })())js");
  ASSERT_GT(cells.size(), 100U);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    EXPECT_LE(cells[i]["light"].get<double>(), cells[i - 1]["light"].get<double>()) << cells[i];
  }
  EXPECT_LT(cells.back()["light"].get<double>() + 0.2, cells.front()["light"].get<double>());
}

TEST_F(ReportPageTest, AsksForNothingButItself) {
  show(sample_report(), {});
  ASSERT_THAT(browser_->requests(), SizeIs(1));
  EXPECT_THAT(browser_->requests()[0], StartsWith("file://"));
}

TEST_F(ReportPageTest, UnfoldsForPaperAndFoldsAgain) {
  show(sample_report(), {1280, 900, true, true});
  const std::string open = "document.querySelectorAll('details[open]').length";
  const std::string page_color =
      "getComputedStyle(document.documentElement).getPropertyValue('--page')";
  const json dark = ask(page_color);
  EXPECT_EQ(ask(open), 0);
  if (!embedded::chart_js().empty()) {
    ask("dispatchEvent(new Event('beforeprint'))");
    EXPECT_EQ(ask(open), ask("document.querySelectorAll('details').length"));
    EXPECT_NE(ask(page_color), dark);
    ask("dispatchEvent(new Event('afterprint'))");
    EXPECT_EQ(ask(open), 0);
    EXPECT_EQ(ask(page_color), dark);
  }
  EXPECT_THAT(browser_->pdf(), StartsWith("%PDF"));
}

}  // namespace
}  // namespace qassay
