// Draws the charts from the JSON in the page. Every figure also stands in a table: this script adds
// pictures and nothing else.
(function () {
  "use strict";
  if (typeof Chart === "undefined") return;

  const descriptions = JSON.parse(document.getElementById("charts").textContent);
  const shapes = ["circle", "triangle", "rectRot", "rect", "star", "crossRot"];
  const rowHeight = 26;
  const drawn = [];

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  // Families keep their place over all charts, so that a backend has one colour on the page.
  const families = [];
  for (const chart of descriptions) {
    if (chart.kind === "lines") continue;
    for (const row of chart.rows) {
      if (!families.includes(row.family)) families.push(row.family);
    }
  }
  function place(family) {
    return families.indexOf(family) % shapes.length;
  }
  function familyColor(family) {
    return color("series-" + (place(family) + 1));
  }

  function finite(values) {
    return values.filter(function (value) { return Number.isFinite(value); });
  }
  function ends(rows, side) {
    const all = finite(rows.flatMap(function (row) {
      return [row[side].low, row[side].value, row[side].high];
    }));
    return { low: Math.min(...all), high: Math.max(...all) };
  }

  // Where whiskers along x are cut off, with an arrow: an interval over few legs can reach far beyond
  // a positive figure, and would press all bars into a corner.
  function limit(rows) {
    if (!rows.every(function (row) { return row.x.low > 0; })) return Infinity;
    return 3 * Math.max(...finite(rows.map(function (row) { return row.x.value; })));
  }

  function line(context, x1, y1, x2, y2) {
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  // Intervals as whiskers: over bars, but behind points, which they would hide where they are short.
  const intervals = {
    id: "intervals",
    beforeDatasetsDraw: function (chart) {
      if (chart.config.type === "scatter") this.draw(chart);
    },
    afterDatasetsDraw: function (chart) {
      if (chart.config.type === "bar") this.draw(chart);
    },
    draw: function (chart) {
      const context = chart.ctx;
      const scales = chart.scales;
      context.save();
      context.strokeStyle = color("ink");
      context.lineWidth = 1.4;
      chart.data.datasets.forEach(function (dataset, index) {
        if (!chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach(function (element, i) {
          const row = dataset.rows[i];
          const cap = 4;
          if (row.x.low !== row.x.high && finite([row.x.low, row.x.high]).length === 2) {
            const low = scales.x.getPixelForValue(row.x.low);
            const high = scales.x.getPixelForValue(Math.min(row.x.high, dataset.limit));
            const back = row.x.high > dataset.limit ? cap : 0;
            line(context, low, element.y, high, element.y);
            line(context, low, element.y - cap, low, element.y + cap);
            line(context, high - back, element.y - cap, high, element.y);
            line(context, high - back, element.y + cap, high, element.y);
          }
          if (row.y && row.y.low !== row.y.high && finite([row.y.low, row.y.high]).length === 2) {
            const low = scales.y.getPixelForValue(row.y.low);
            const high = scales.y.getPixelForValue(row.y.high);
            line(context, element.x, low, element.x, high);
            line(context, element.x - cap, low, element.x + cap, low);
            line(context, element.x - cap, high, element.x + cap, high);
          }
        });
      });
      context.restore();
    }
  };

  // The same of lines, which have no rows: each whisker in the colour of its line, and a little to the
  // side of its neighbours'. On a logarithmic axis what is not positive ends at the bottom.
  const lineIntervals = {
    id: "lineIntervals",
    beforeDatasetsDraw: function (chart) {
      const context = chart.ctx;
      const y = chart.scales.y;
      context.save();
      context.lineWidth = 1.4;
      chart.data.datasets.forEach(function (dataset, index) {
        if (!chart.isDatasetVisible(index)) return;
        context.strokeStyle = dataset.borderColor;
        chart.getDatasetMeta(index).data.forEach(function (element, i) {
          const interval = dataset.intervals[i];
          if (!interval || !(interval.high > 0) || interval.low === interval.high) return;
          const x = element.x + 3 * (index - (chart.data.datasets.length - 1) / 2);
          const high = Math.max(y.getPixelForValue(interval.high), chart.chartArea.top);
          const low = interval.low > 0 ? y.getPixelForValue(interval.low) : chart.chartArea.bottom;
          line(context, x, Math.min(low, chart.chartArea.bottom), x, high);
          line(context, x - 3, high, x + 3, high);
          if (low < chart.chartArea.bottom) line(context, x - 3, low, x + 3, low);
        });
      });
      context.restore();
    }
  };

  const referenceLine = {
    id: "referenceLine",
    beforeDatasetsDraw: function (chart, args, options) {
      if (!Number.isFinite(options.at)) return;
      const context = chart.ctx;
      const x = chart.scales.x.getPixelForValue(options.at);
      context.save();
      context.strokeStyle = color("muted");
      context.setLineDash([5, 4]);
      line(context, x, chart.chartArea.top, x, chart.chartArea.bottom);
      context.restore();
    }
  };

  // What was claimed, behind the bars; an end that is no number is open.
  const bands = {
    id: "bands",
    beforeDatasetsDraw: function (chart) {
      const context = chart.ctx;
      const area = chart.chartArea;
      context.save();
      context.fillStyle = color("band");
      chart.getDatasetMeta(0).data.forEach(function (element, i) {
        const band = chart.data.datasets[0].rows[i].band;
        if (!band) return;
        const at = function (value, open) {
          const x = Number.isFinite(value) ? chart.scales.x.getPixelForValue(value) : open;
          return Math.min(Math.max(x, area.left), area.right);
        };
        const low = at(band.low, area.left);
        const high = at(band.high, area.right);
        const height = rowHeight * 0.9;
        context.fillRect(low, element.y - height / 2, Math.max(high - low, 2), height);
      });
      context.restore();
    }
  };

  // Joins the points that no other beats, from left to right.
  const frontier = {
    id: "frontier",
    beforeDatasetsDraw: function (chart) {
      const points = chart.data.datasets.flatMap(function (dataset, index) {
        return chart.getDatasetMeta(index).data.filter(function (element, i) {
          return dataset.rows[i].frontier;
        });
      });
      points.sort(function (a, b) { return a.x - b.x; });
      const context = chart.ctx;
      context.save();
      context.strokeStyle = color("muted");
      context.setLineDash([5, 4]);
      for (let i = 1; i < points.length; ++i) {
        line(context, points[i - 1].x, points[i - 1].y, points[i].x, points[i].y);
      }
      context.restore();
    }
  };

  // The figure behind each bar, or the name beside each point, where it does not hide another.
  const labels = {
    id: "labels",
    afterDraw: function (chart) {
      if (chart.width < 560) return;
      const context = chart.ctx;
      const taken = [];
      context.save();
      context.font = "12px " + Chart.defaults.font.family;
      context.fillStyle = color("ink");
      context.textBaseline = "middle";
      chart.data.datasets.forEach(function (dataset, index) {
        chart.getDatasetMeta(index).data.forEach(function (element, i) {
          const row = dataset.rows[i];
          const text = row.y ? row.mark : row.text;
          const end = row.y ? element.x
                            : Math.max(element.x, chart.scales.x.getPixelForValue(
                                Math.min(row.x.high, dataset.limit)));
          const width = context.measureText(text).width;
          const above = row.y ? -11 : 0;
          const spots = row.y ? [[end + 8, element.y + above], [end + 8, element.y - above],
                                 [end - 8 - width, element.y + above], [end - 8 - width, element.y - above]]
                              : [[end + 8, element.y]];
          for (const spot of spots) {
            const box = { left: spot[0], right: spot[0] + width, top: spot[1] - 7, bottom: spot[1] + 7 };
            const free = box.right <= chart.width && box.left >= chart.chartArea.left &&
              box.top >= chart.chartArea.top && taken.every(function (other) {
                return box.right < other.left || other.right < box.left ||
                       box.bottom < other.top || other.bottom < box.top;
              });
            if (!free) continue;
            taken.push(box);
            context.fillText(text, spot[0], spot[1]);
            break;
          }
        });
      });
      context.restore();
    }
  };

  function axis(title) {
    return {
      title: { display: true, text: title, color: color("muted") },
      grid: { color: color("line"), borderColor: color("line") },
      ticks: { color: color("muted") }
    };
  }

  function options(x, y, legend) {
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      // Sharp on paper too, where the canvas is all there is.
      devicePixelRatio: Math.max(2, window.devicePixelRatio || 1),
      scales: { x: x, y: y },
      plugins: {
        legend: { display: legend, labels: { color: color("ink"), usePointStyle: true, boxWidth: 8, boxHeight: 8 } },
        tooltip: {
          callbacks: {
            title: function () { return ""; },
            label: function (item) {
              const row = item.dataset.rows[item.dataIndex];
              return row.label + ": " + row.text;
            }
          }
        }
      }
    };
  }

  function bars(description) {
    const rows = description.rows;
    const span = ends(rows, "x");
    const claimed = finite(rows.flatMap(function (row) {
      return row.band ? [row.band.low, row.band.high] : [];
    }));
    const x = axis(description.x);
    x.beginAtZero = true;
    const longest = Math.min(span.high, limit(rows));
    // Room for the figures behind the bars.
    x.suggestedMin = Math.min(0, span.low);
    x.suggestedMax = Math.max(longest * 1.25, description.reference * 1.25, ...claimed);
    const y = axis("");
    y.title.display = false;
    y.grid.display = false;
    y.ticks.color = color("ink");
    y.ticks.autoSkip = false;
    const settings = options(x, y, false);
    settings.indexAxis = "y";
    settings.plugins.referenceLine = { at: description.reference };
    return {
      type: "bar",
      data: {
        labels: rows.map(function (row) { return row.label; }),
        datasets: [{
          rows: rows,
          limit: limit(rows),
          data: rows.map(function (row) { return row.x.value; }),
          backgroundColor: rows.map(function (row) { return familyColor(row.family); }),
          barPercentage: 0.78,
          categoryPercentage: 0.9
        }]
      },
      options: settings,
      plugins: [bands, referenceLine, intervals, labels]
    };
  }

  function scatter(description) {
    const x = axis(description.x);
    const y = axis(description.y);
    const across = ends(description.rows, "x");
    across.high = Math.min(across.high, limit(description.rows));
    const up = ends(description.rows, "y");
    const margin = function (span) { return (span.high - span.low || 1) * 0.08; };
    x.beginAtZero = true;
    x.suggestedMax = across.high + margin(across);
    y.suggestedMin = up.low - margin(up);
    y.suggestedMax = up.high + margin(up);
    const present = families.filter(function (family) {
      return description.rows.some(function (row) { return row.family === family; });
    });
    return {
      type: "scatter",
      data: {
        datasets: present.map(function (family) {
          const rows = description.rows.filter(function (row) { return row.family === family; });
          return {
            label: family,
            rows: rows,
            limit: limit(description.rows),
            data: rows.map(function (row) { return { x: row.x.value, y: row.y.value }; }),
            backgroundColor: familyColor(family),
            borderColor: familyColor(family),
            pointStyle: shapes[place(family)],
            pointRadius: 6,
            pointHoverRadius: 8
          };
        })
      },
      options: options(x, y, true),
      plugins: [frontier, intervals, labels]
    };
  }

  // Lines have no families: each has its own colour, and where colours run out, dashes and another
  // shape.
  function lines(description) {
    const x = axis("");
    x.title.display = false;
    x.type = "category";
    const y = axis(description.y);
    y.type = "logarithmic";
    // Powers of ten, with 2 and 5 between them: more would stand on each other.
    y.ticks.callback = function (value) {
      const digit = value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9));
      return [1, 2, 5].includes(Math.round(digit * 10) / 10) ? String(Number(value.toPrecision(1))) : "";
    };
    // Room for whiskers, as far as they are positive; one that is long has no more than a decade.
    const values = finite(description.rows.flatMap(function (row) { return row.values; }))
      .filter(function (value) { return value > 0; });
    const reach = finite(description.rows.flatMap(function (row) {
      return row.intervals.flatMap(function (interval) { return [interval.low, interval.high]; });
    })).filter(function (value) { return value > 0; });
    if (reach.length > 0 && values.length > 0) {
      y.suggestedMin = Math.max(Math.min(...reach, ...values), Math.min(...values) / 10);
      y.suggestedMax = Math.max(...reach, ...values);
    }
    const settings = options(x, y, true);
    settings.plugins.tooltip.callbacks.title = function (items) { return items[0].label; };
    settings.plugins.tooltip.callbacks.label = function (item) {
      const row = description.rows[item.datasetIndex];
      return row.label + ": " + row.texts[item.dataIndex];
    };
    return {
      type: "line",
      data: {
        labels: description.places,
        datasets: description.rows.map(function (row, i) {
          const own = color("series-" + (i % shapes.length + 1));
          return {
            label: row.label,
            data: row.values.map(function (value) { return value > 0 ? value : null; }),
            backgroundColor: own,
            borderColor: own,
            intervals: row.intervals,
            borderWidth: 2,
            borderDash: i < shapes.length ? [] : [6, 4],
            pointStyle: shapes[(i + 3 * Math.floor(i / shapes.length)) % shapes.length],
            pointRadius: 4
          };
        })
      },
      options: settings,
      plugins: [lineIntervals]
    };
  }

  const kinds = { bars: bars, scatter: scatter, lines: lines };

  function draw() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    while (drawn.length > 0) drawn.pop().destroy();
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      const description = descriptions[Number(figure.dataset.chart)];
      const canvas = figure.querySelector("canvas");
      figure.classList.add("drawn");
      canvas.parentElement.style.height =
        (description.kind === "bars" ? description.rows.length * rowHeight + 64 : 380) + "px";
      drawn.push(new Chart(canvas, kinds[description.kind](description)));
    }
  }

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // On paper: light colours, charts that fit, everything unfolded.
  let opened = [];
  addEventListener("beforeprint", function () {
    document.documentElement.dataset.paper = "";
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (details) { details.open = true; });
    draw();
    drawn.forEach(function (chart) { chart.resize(660, chart.height); });
  });
  addEventListener("afterprint", function () {
    delete document.documentElement.dataset.paper;
    opened.forEach(function (details) { details.open = false; });
    draw();
  });
})();
