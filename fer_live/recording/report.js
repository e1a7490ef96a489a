// The report: a plot for each face, zoomed and read out together.
const keys = data.labels.map(label => label.key).filter(Boolean);
const HEIGHT = 220, LANE = 10, AWAY_S = 1, STEPS = 250, NO_CONFIDENCE = 255, PAPER_WIDTH = 680;
const at = id => document.getElementById(id);
const plots = [];
let isStacked = true, isZooming = false;

function bytes(text) {
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
}

// A face's curve; where it was out of view there is a point of nulls, and so a gap.
function unpacked(face) {
  const times = [...new Float32Array(bytes(face.times).buffer)];
  const probs = bytes(face.probs), shown = bytes(face.shown), sure = bytes(face.confidences);
  const gap_s = Math.max(AWAY_S, 3 * face.step_s);
  const made = { times: [], columns: keys.map(() => []), shown: [], confidences: [] };
  times.forEach((time_s, k) => {
    const before = times[k - 1];
    if (k && time_s - before > gap_s) add((time_s + before) / 2, () => null, null, null);
    add(time_s, c => probs[k * keys.length + c] / STEPS, shown[k], sure[k] === NO_CONFIDENCE ? null : sure[k] / STEPS);
  });
  return made;

  function add(time_s, value, label, confidence) {
    made.times.push(time_s);
    made.columns.forEach((column, c) => column.push(value(c)));
    made.shown.push(label);
    made.confidences.push(confidence);
  }
}

function clock(time_s) {
  const total = Math.abs(time_s), pad = number => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600), minutes = Math.floor(total / 60) % 60, seconds = Math.floor(total % 60);
  const rest = Math.round(10 * (total % 1)) % 10;
  return (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${pad(seconds)}` + (rest ? `.${rest}` : "");
}

class FacePlot {
  constructor(face, section) {
    this.face = face;
    this.curve = unpacked(face);
    this.place = section.querySelector(".plot");
    this.readout = section.querySelector(".readout");
    this.place.setAttribute("role", "img");
    this.place.setAttribute("aria-label", fill(texts.plot, { name: face.name }));
    this.whole = [face.begin_s, Math.max(face.end_s, face.begin_s + 0.1)];
    const options = plotOptions(keys, this.place.clientWidth, HEIGHT, clock, {
      isStacked: () => isStacked,
      zooms: true,
      top: LANE + 4,
      x: { range: (plot, low, high) => low === null ? this.whole : [low, high] },
      cursor: { sync: { key: `source ${face.group}`, setSeries: false }, bind: { dblclick: () => () => { showAll(); return null; } } },
      hooks: {
        draw: [plot => { this.drawLane(plot); this.drawNotes(plot); }],
        setCursor: [plot => this.read(plot)],
        setScale: [(plot, name) => name === "x" && zoomOthers(this)],
      },
    });
    this.plot = new uPlot(options, this.values(), this.place);
    this.plot.setScale("x", { min: this.whole[0], max: this.whole[1] });
    redraws.add(() => this.redraw());
    addEventListener("resize", () => this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT }));
  }

  values() {
    return (isStacked ? stacked : apart)(this.curve.times, this.curve.columns, keys);
  }

  redraw() {
    const { min, max } = this.plot.scales.x;
    this.plot.setData(this.values(), false);
    this.plot.setScale("x", { min, max });
  }

  // What was shown, as a lane of colours on top; by the episodes, which count every frame.
  drawLane({ ctx, bbox, valToPos }) {
    const ratio = devicePixelRatio, right = bbox.left + bbox.width;
    ctx.save();
    for (const [label, begin_s, end_s] of this.face.episodes) {
      const from = Math.max(valToPos(begin_s, "x", true), bbox.left), to = Math.min(valToPos(end_s, "x", true), right);
      if (to < bbox.left || from > right || hidden.has(data.labels[label].key)) continue;
      ctx.fillStyle = data.labels[label].color;
      ctx.fillRect(from, bbox.top - (LANE + 2) * ratio, Math.max(to - from, 1), LANE * ratio);
    }
    ctx.restore();
  }

  // A line at each moment, a band over each interval, with the number that the list has.
  drawNotes({ ctx, bbox, valToPos }) {
    const ratio = devicePixelRatio, right = bbox.left + bbox.width, color = themeColor("--text");
    ctx.save();
    ctx.strokeStyle = color;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    data.marks.forEach((mark, k) => {
      if (mark.group !== null && mark.group !== this.face.group) return;
      const from = valToPos(mark.from_s, "x", true), to = mark.to_s === null ? right : valToPos(mark.to_s, "x", true);
      if (to < bbox.left || from > right) return;
      const begin = Math.max(from, bbox.left), end = Math.min(to, right);
      if (to > from) {
        ctx.globalAlpha = 0.25;
        ctx.fillStyle = color;
        ctx.fillRect(begin, bbox.top, end - begin, bbox.height);
        ctx.globalAlpha = 1;
      }
      ctx.beginPath();
      ctx.moveTo(begin, bbox.top);
      ctx.lineTo(begin, bbox.top + bbox.height);
      ctx.stroke();
      const wide = ctx.measureText(String(k + 1)).width + 6 * ratio;
      ctx.fillStyle = themeColor("--card");
      ctx.fillRect(begin + 2 * ratio, bbox.top + 2 * ratio, wide, 16 * ratio);
      ctx.fillStyle = color;
      ctx.fillText(String(k + 1), begin + 5 * ratio, bbox.top + 14 * ratio);
    });
    ctx.restore();
  }

  // The time under the pointer, what was shown, and the likeliest classes that are not hidden.
  read(plot) {
    const k = plot.cursor.idx;
    if (k === null || k === undefined || this.curve.times[k] === undefined) { this.readout.textContent = "\u00a0"; return; }
    const time_s = plot.posToVal(plot.cursor.left, "x"), label = this.curve.shown[k];
    this.readout.replaceChildren(`${clock(time_s)}  `);
    if (label === null || Math.abs(time_s - this.curve.times[k]) > AWAY_S + this.face.step_s) { this.readout.append(texts.nothing); return; }
    const key = data.labels[label].key, sure = this.curve.confidences[k];
    const pill = colored(element("span", { class: "pill", text: nameOf(key) + (sure === null ? "" : ` ${percent(sure)}`) }), key);
    const shares = keys.map((name, c) => [this.curve.columns[c][k], name]).filter(([, name]) => !hidden.has(name)).sort((a, b) => b[0] - a[0]);
    this.readout.append(pill, "  ", shares.slice(0, 4).map(([value, name]) => `${nameOf(name)} ${percent(value)}`).join(" · "));
    const near_s = 6 * (plot.scales.x.max - plot.scales.x.min) / plot.bbox.width;
    data.marks.forEach((mark, n) => {
      if (mark.group !== null && mark.group !== this.face.group) return;
      const is_in = time_s > mark.from_s - near_s && time_s < (mark.to_s === null ? Infinity : mark.to_s + near_s);
      if (is_in) this.readout.append("  ", element("strong", { text: fill(texts.marker, { number: n + 1, text: mark.text }) }));
    });
  }
}

// Faces of one source share their time.
function zoomOthers(zoomed) {
  if (isZooming) return;
  isZooming = true;
  const { min, max } = zoomed.plot ? zoomed.plot.scales.x : {};
  for (const other of plots) {
    if (other !== zoomed && other.face.group === zoomed.face.group && min !== undefined && min !== null) other.plot.setScale("x", { min, max });
  }
  isZooming = false;
}

function zoomTo(change) {
  isZooming = true;
  for (const { plot, whole } of plots) {
    const [low, high] = change(plot.scales.x.min, plot.scales.x.max, whole);
    plot.setScale("x", { min: low, max: high });
  }
  isZooming = false;
}

function showAll() {
  zoomTo((low, high, whole) => whole);
}

function zoomBy(factor) {
  zoomTo((low, high, whole) => {
    const half = Math.min(Math.max((high - low) * factor, 0.2), whole[1] - whole[0]) / 2;
    const middle = Math.min(Math.max((low + high) / 2, whole[0] + half), whole[1] - half);
    return [middle - half, middle + half];
  });
}

function moveBy(share) {
  zoomTo((low, high, whole) => {
    const step = Math.min(Math.max(share * (high - low), whole[0] - low), whole[1] - high);
    return [low + step, high + step];
  });
}

function listEpisodes(face, section) {
  const button = section.querySelector(".all"), list = section.querySelector(".episodes tbody");
  if (face.episodes.length <= list.rows.length) return;
  button.textContent = fill(texts.all, { n: face.episodes.length });
  button.hidden = false;
  button.addEventListener("click", () => {
    const number = text => element("td", { class: "n", text });
    list.replaceChildren(...face.episodes.map(([label, begin_s, end_s, sure]) => element("tr", {},
      element("td", { text: data.labels[label].name }), number(clock(begin_s)), number(clock(end_s)),
      number((end_s - begin_s).toFixed(1)), number(sure === null ? "" : (100 * sure).toFixed(0)))));
    button.hidden = true;
    button.parentElement.querySelector("p").hidden = true;
  });
}

// The points of the curves as rows. A cell that begins like a formula is marked as text.
function asCsv() {
  const cell = text => {
    const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  const lines = [["source", "time_s", "track_id", "person", "shown_label", "shown_confidence", ...keys.map(key => `p_${key}`)].map(cell).join(",")];
  for (const { face, curve } of plots) {
    curve.times.forEach((time_s, k) => {
      if (curve.shown[k] === null) return;
      const sure = curve.confidences[k];
      lines.push([cell(face.source), time_s.toFixed(3), ...(face.is_person ? ["", face.number] : [face.number, ""]), cell(data.labels[curve.shown[k]].key), sure === null ? "" : sure.toFixed(3),
        ...curve.columns.map(column => column[k].toFixed(3))].join(","));
    });
  }
  return lines.join("\n") + "\n";
}

function saveCsv() {
  const address = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" }));
  element("a", { href: address, download: "report.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Paper is white and narrow, whatever the screen is.
function fitToPaper(is_printing) {
  const page = document.documentElement;
  if (is_printing) { page.dataset.shown = page.dataset.theme || ""; page.dataset.theme = "light"; }
  else if (page.dataset.shown) page.dataset.theme = page.dataset.shown;
  else delete page.dataset.theme;
  for (const { plot, place } of plots) plot.setSize({ width: is_printing ? PAPER_WIDTH : place.clientWidth, height: HEIGHT });
  redrawAll();
}

function start() {
  at("tools").hidden = false;
  startTheme(at("theme"));
  startLegend(at("legend"), keys);
  const sections = [...document.querySelectorAll("section.face")];
  data.faces.forEach((face, k) => { plots.push(new FacePlot(face, sections[k])); listEpisodes(face, sections[k]); });
  at("in").addEventListener("click", () => zoomBy(0.5));
  at("out").addEventListener("click", () => zoomBy(2));
  at("left").addEventListener("click", () => moveBy(-0.5));
  at("right").addEventListener("click", () => moveBy(0.5));
  at("whole").addEventListener("click", showAll);
  at("kind").addEventListener("change", event => { isStacked = event.target.value === "stacked"; redrawAll(); });
  at("csv").addEventListener("click", saveCsv);
  at("print").addEventListener("click", () => print());
  addEventListener("beforeprint", () => fitToPaper(true));
  addEventListener("afterprint", () => fitToPaper(false));
}

if (data.faces.length) start();
