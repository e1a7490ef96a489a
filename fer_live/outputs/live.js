// The dashboard: a card for each face, with what it showed in the last minutes.
const KEPT_S = 600, STEP_S = 0.2, DRAW_EVERY_MS = 250, QUIET_AFTER_MS = 2500, GONE_AFTER_S = 15;
const asked = new URLSearchParams(location.search);
const isTransparent = asked.get("transparent") === "1";
const page = document.documentElement;
page.classList.toggle("transparent", isTransparent);
page.classList.toggle("plain", asked.get("bars") === "0");
const at = id => document.getElementById(id);
const faces = new Map(), markers = [];
let keys = data.labels.map(label => label.key).filter(Boolean);
let span_s = 60, last_message_ms = 0, source = "", n_recent = 0, rate = 0, socket = null, waits_ms = 500;

startTheme(at("theme"));
startLegend(at("legend"), keys);
at("span").addEventListener("change", event => { span_s = Number(event.target.value); redrawAll(); });
at("retry").addEventListener("click", connect);

class FaceCard {
  constructor(number) {
    this.number = number;
    this.times = []; this.columns = keys.map(() => []);
    this.card = element("article", { "aria-label": fill(texts.face, { number }) });
    this.name = element("h2", { text: fill(texts.face, { number }) });
    this.from = element("span", { class: "faint" });
    this.says = element("span", { class: "says pill" });
    this.why = element("p", { class: "why" });
    this.bars = element("div", { class: "bars" });
    this.history = element("div", { class: "history", role: "img", "aria-label": fill(texts.history, { number }) });
    this.rows = keys.map(label => {
      const inner = colored(element("span"), label), figure = element("span", { class: "number" });
      this.bars.append(element("span", { text: nameOf(label) }), element("div", { class: "bar", "aria-hidden": "true" }, inner), figure);
      return { inner, figure };
    });
    this.card.append(element("div", { class: "title" }, this.name, this.from, this.says), this.why, this.bars, this.history);
    this.redraw = () => this.draw(true);
    redraws.add(this.redraw);
  }

  take(face, now_s) {
    this.seen_s = now_s;
    this.face = face;
    const last = this.times.length ? this.times[this.times.length - 1] : -Infinity;
    if (now_s - last < STEP_S) return;
    if (now_s - last > 1 && this.times.length) this.push(last + 0.01, () => null);
    this.push(now_s, key => key in face ? face[key] : 0);
    const old = this.times.findIndex(time_s => now_s - time_s <= KEPT_S);
    if (old > 50) for (const list of [this.times, ...this.columns]) list.splice(0, old);
  }

  push(time_s, value) {
    this.times.push(time_s);
    keys.forEach((label, k) => this.columns[k].push(value(`p_${label}`)));
  }

  show(now_s, with_source) {
    const face = this.face, is_away = now_s - this.seen_s > 1;
    const label = is_away ? "" : face.shown_label;
    const sure = is_away || face.shown_confidence === null || face.shown_confidence === undefined ? "" : ` ${percent(face.shown_confidence)}`;
    this.card.classList.toggle("away", is_away);
    colored(this.card, label);
    this.says.textContent = is_away ? texts.away : `${nameOf(label)}${sure}`;
    this.from.textContent = with_source ? face.source || "" : "";
    this.why.textContent = !is_away && !label && face.quality_reason ? texts.advice[face.quality_reason] || face.quality_reason : "";
    keys.forEach((name, k) => {
      const value = face[`p_${name}`] || 0;
      this.rows[k].inner.style.width = `${100 * value}%`;
      this.rows[k].figure.textContent = percent(value);
    });
  }

  draw(is_new) {
    if (isTransparent) return;
    const now_s = Date.now() / 1000, width = this.history.clientWidth;
    if (!width) return;
    if (!this.plot) {
      const x = { range: () => [Date.now() / 1000 - span_s, Date.now() / 1000] };
      this.plot = new uPlot(plotOptions(keys, width, 130, clock, { x, cursor: { show: false }, hooks: { draw: [drawMarkers] } }), stacked(this.times, this.columns, keys), this.history);
      return;
    }
    if (this.plot.width !== width) this.plot.setSize({ width, height: 130 });
    const first = Math.max(this.times.findIndex(time_s => time_s > now_s - span_s) - 1, 0);
    this.plot.setData(stacked(this.times.slice(first), this.columns.map(column => column.slice(first)), keys));
  }

  remove() {
    redraws.delete(this.redraw);
    if (this.plot) this.plot.destroy();
    this.card.remove();
  }
}

function clock(time_s) {
  return new Date(time_s * 1000).toTimeString().slice(0, 8);
}

function take(message) {
  last_message_ms = Date.now();
  if (message.test) { showTest(message.test); return; }
  if (typeof message.marker === "string") { showMarker(message); return; }
  if (!Array.isArray(message.faces)) return;
  n_recent += 1;
  source = message.source;
  const now_s = last_message_ms / 1000;
  for (const face of message.faces) {
    const names = Object.keys(face).filter(key => key.startsWith("p_")).map(key => key.slice(2));
    if (names.join() !== keys.join()) startOver(names);
    const key = `${message.source}/${face.track_id}`;
    if (!faces.has(key)) place(key, new FaceCard(face.track_id));
    faces.get(key).take({ source: message.source, ...face }, now_s);
  }
}

// Another model has other labels.
function startOver(names) {
  for (const card of faces.values()) card.remove();
  faces.clear();
  keys = names;
  startLegend(at("legend"), keys);
}

function place(key, card) {
  faces.set(key, card);
  const after = [...faces.values()].filter(other => other.number > card.number).sort((a, b) => a.number - b.number)[0];
  at("faces").insertBefore(card.card, after ? after.card : null);
}

// A marker is a line in every history, and the last ones are listed.
function showMarker({ marker, kind }) {
  const now_s = Date.now() / 1000, text = kind && kind !== "moment" ? `${kind}: ${marker}` : marker;
  while (markers.length && now_s - markers[0] > KEPT_S) markers.shift();
  markers.push(now_s);
  at("markers").prepend(element("li", { text: `${clock(now_s)} ${text}` }));
  while (at("markers").children.length > 4) at("markers").lastChild.remove();
}

function drawMarkers({ ctx, bbox, valToPos }) {
  ctx.save();
  ctx.fillStyle = themeColor("--text");
  for (const time_s of markers) {
    const x = valToPos(time_s, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) ctx.fillRect(x, bbox.top, devicePixelRatio, bbox.height);
  }
  ctx.restore();
}

function showTest(text) {
  at("test").textContent = fill(texts.test, { text });
  at("test").hidden = false;
  setTimeout(() => { at("test").hidden = true; }, 8000);
}

function tick() {
  const now_s = Date.now() / 1000;
  const sources = new Set([...faces.values()].map(card => card.face.source));
  for (const [key, card] of faces) {
    if (now_s - card.seen_s > GONE_AFTER_S) { card.remove(); faces.delete(key); continue; }
    card.show(now_s, sources.size > 1);
    card.draw(false);
  }
  at("nobody").hidden = faces.size > 0;
  if (socket && socket.readyState === WebSocket.OPEN) {
    const is_quiet = Date.now() - last_message_ms > QUIET_AFTER_MS;
    say(is_quiet ? texts.quiet : fill(texts.connected, { source }), !is_quiet);
    at("rate").textContent = is_quiet ? "" : fill(texts.rate, { rate });
  }
}

function say(text, is_good) {
  if (at("state-text").textContent !== text) at("state-text").textContent = text;
  at("state").classList.toggle("connected", is_good);
}

let timer = 0;
function connect() {
  clearTimeout(timer);
  at("retry").hidden = true;
  if (socket) { socket.onclose = null; socket.close(); }
  socket = new WebSocket(`ws://${location.host}/ws${location.search}`);
  socket.onopen = () => { waits_ms = 500; last_message_ms = Date.now(); };
  socket.onmessage = event => take(JSON.parse(event.data));
  socket.onclose = event => {
    at("rate").textContent = "";
    const why = event.code === 1013 ? texts.full : texts.lost;
    say(fill(why, { seconds: Math.ceil(waits_ms / 1000) }), false);
    at("retry").hidden = false;
    timer = setTimeout(connect, waits_ms);
    waits_ms = Math.min(waits_ms * 2, 8000);
  };
}

setInterval(() => { rate = n_recent; n_recent = 0; }, 1000);
setInterval(tick, DRAW_EVERY_MS);
connect();
