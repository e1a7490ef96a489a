"use strict";
// What the pages share: their data and texts, light and dark, the legend, and stacked plots.
const data = JSON.parse(document.getElementById("data").textContent);
const texts = data.texts;
const byKey = new Map(data.labels.map(label => [label.key, label]));
const UNKNOWN = "#969da2";
const hidden = new Set();
const redraws = new Set();

const colorOf = key => (byKey.get(key) || { color: UNKNOWN }).color;
const nameOf = key => (byKey.get(key) || { name: key }).name;
const percent = share => `${Math.round(100 * share)} %`;
const fill = (text, fields) => text.replace(/\{(\w+)\}/g, (all, name) => name in fields ? fields[name] : all);

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

function colored(made, key) {
  made.style.setProperty("--own", colorOf(key));
  return made;
}

function themeColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function redrawAll() {
  for (const redraw of redraws) redraw();
}

function startTheme(select) {
  let kept = "";
  try { kept = localStorage.getItem("theme") || ""; } catch { /* storage is switched off */ }
  const asked = new URLSearchParams(location.search).get("theme");
  apply(["light", "dark"].includes(asked) ? asked : kept);
  select.addEventListener("change", () => {
    apply(select.value);
    try { localStorage.setItem("theme", select.value); } catch { /* as above */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  function apply(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    select.value = theme;
    redrawAll();
  }
}

// The legend: a button a class, which shows or hides it in every plot.
function startLegend(list, keys) {
  list.replaceChildren(...keys.map(key => {
    const button = element("button", { type: "button", "aria-pressed": String(!hidden.has(key)), title: texts.toggle });
    button.append(colored(element("span", { class: "dot" }), key), nameOf(key));
    button.addEventListener("click", () => {
      if (!hidden.delete(key)) hidden.add(key);
      button.setAttribute("aria-pressed", String(!hidden.has(key)));
      redrawAll();
    });
    return element("li", {}, button);
  }));
}

// Sums of the classes that are shown, the last on top. uPlot draws the first series first, so the
// highest sum comes first and each lower one is painted over it.
function stacked(times, columns, keys) {
  const sums = [];
  let below = null;
  keys.forEach((key, at) => {
    const column = columns[at], shown = !hidden.has(key);
    below = column.map((value, k) => value === null ? null : (below ? below[k] || 0 : 0) + (shown ? value : 0));
    sums.unshift(below);
  });
  return [times, ...sums];
}

// As lines, each class for itself; the order of the series is the same.
function apart(times, columns, keys) {
  return [times, ...keys.map((key, at) => hidden.has(key) ? columns[at].map(() => null) : columns[at]).reverse()];
}

function axisStyle(more) {
  const color = () => themeColor("--faint"), line = { stroke: () => themeColor("--line"), width: 1 };
  return { stroke: color, grid: line, ticks: line, font: "12px system-ui, sans-serif", ...more };
}

// The options of a plot of probabilities over time. `times` writes a time on the axis.
function plotOptions(keys, width, height, times, more = {}) {
  const isStacked = () => more.isStacked ? more.isStacked() : true;
  return {
    width, height,
    legend: { show: false },
    padding: [more.top || 8, 8, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: Boolean(more.zooms), y: false }, ...more.cursor },
    scales: { x: { time: false, ...more.x }, y: { range: [0, 1] } },
    axes: [
      axisStyle({ values: (plot, splits) => splits.map(times), space: 70, size: 30, incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200] }),
      axisStyle({ values: (plot, splits) => splits.map(percent), size: 52, incrs: [0.25, 0.5, 1] }),
    ],
    series: [{}, ...[...keys].reverse().map(key => ({
      points: { show: false },
      width: 1.5,
      stroke: () => isStacked() ? "transparent" : colorOf(key),
      fill: () => isStacked() && !hidden.has(key) ? colorOf(key) : null,
    }))],
    hooks: more.hooks || {},
  };
}
