// The page: a hero with the answer, then a card for each stage.

const percent = (p) => (p > 0 && p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

function scores() {
  const top = Math.max(...data.scores.map((s) => Math.abs(s.score)), data.probabilities ? 1 : 0);
  return make("ol", { class: "scores", "aria-label": "scores" }, ...data.scores.map(({ label, score }) => {
    const bar = make("div", { class: "bar" });
    bar.style.width = `${top ? (100 * Math.abs(score)) / top : 0}%`;
    const text = data.probabilities ? percent(score) : show(score);
    return make("li", {}, make("span", { class: "label", title: label }, label), make("div", { class: "track" }, bar), make("span", { class: "mono" }, text));
  }));
}

function shown(canvas, title, text, ...more) {
  return make("figure", { class: "shown" }, canvas, ...more, make("figcaption", {}, make("b", {}, title), text));
}

function hero() {
  const input = make("canvas", { role: "img", "aria-label": "the input as the model sees it" });
  const evidence = make("canvas", { role: "img", "aria-label": "what the answer rested on" });
  const slider = make("input", { type: "range", min: 0, max: 100, value: 85, "aria-label": "strength of the map over the picture", oninput: () => paintEvidence(evidence, slider.value / 100) });
  paintPicture(input, 560);
  paintEvidence(evidence, 0.85);
  const { shape, low, high } = data.picture;
  return [
    make("header", { class: "top" },
      make("p", { class: "soft small files" }, `${data.file} through ${data.model}`),
      make("button", { class: "theme", type: "button", onclick: turnTheme }, "Light / dark")),
    make("h1", { class: "verdict" }, "The answer is ", make("em", {}, data.scores[0].label)),
    make("p", { class: "soft" }, data.summary),
    make("div", { class: "hero" },
      shown(input, "What the model sees. ", `${times(shape)} numbers from ${show(low)} to ${show(high)}. ${data.prepared}`),
      shown(evidence, "What the answer rested on. ", data.evidence.text, slider),
      make("div", {}, scores(), data.probabilities ? null : make("p", { class: "soft small" }, "These scores are no probabilities."))),
    legend(),
  ];
}

function legend() {
  const bar = make("canvas", { role: "img", "aria-label": "colours from below zero over zero to above" });
  paint(bar, 1, 101, (i) => colour((i - 50) / 50), 101);
  return make("p", { class: "legend" }, "below zero", bar, "above zero", make("span", {}, "· dark is zero; the small maps of a stage share a scale, each large one has its own"));
}

function turnTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
}

const SAYS = {
  conv: "Each filter slides over the input. At every place its kernel is multiplied with the patch below it, cell by cell, and the products are added up.",
  depthwise: "Each channel has a kernel of its own; channels are not mixed.",
  transposed: "Each input cell spreads its kernel over the result: a convolution backwards, which enlarges.",
  maximum: "Of each window only the largest number stays. Channels are not mixed, and nothing is learnt.",
  mean: "Each window is replaced by its mean. Channels are not mixed, and nothing is learnt.",
  norm: "Each window is replaced by the norm of its numbers.",
  stochastic: "Each window is replaced by a mean that is weighed by the numbers themselves.",
  dense: "Every unit multiplies all inputs with weights of its own, and adds the products up.",
};

function facts(stage) {
  const pair = (title, texts, more) => make("div", {}, make("dt", {}, title), ...texts.map((t) => make("dd", {}, t)), more ? make("dd", { class: "small" }, more) : null);
  return make("dl", { class: "facts" },
    pair("Output size", stage.sizes, stage.rule),
    pair("Parameters", [stage.parameters]),
    stage.multiply_adds ? pair("Multiply-adds", [count(stage.multiply_adds)]) : null,
    pair("Makes", [stage.volume]),
    stage.field ? pair("Sees of the picture", [`${times(stage.field.size)} cells`]) : null);
}

function card(stage, i) {
  const body = stage.kind === "dense" ? denseBody(stage, i) : stage.out.length === 1 ? globalBody(stage) : mapsBody(stage);
  const passed = stage.after.map((p) => make("li", {}, `${p.name} (${p.class_name}) ${times(p.out)}`));
  return make("section", { class: "stage", id: `stage-${i}`, "aria-labelledby": `name-${i}` },
    make("div", { class: "title" },
      make("span", { class: "number" }, String(i + 1)),
      make("h2", { id: `name-${i}` }, stage.name),
      make("span", { class: "badge" }, stage.class_name),
      make("span", { class: "out" }, `${times(stage.in)} → ${times(stage.out)}`)),
    make("p", { class: "says" }, SAYS[stage.kind]),
    facts(stage),
    ...body.filter(Boolean),
    passed.length ? make("ul", { class: "passed", "aria-label": "layers that follow" }, make("li", { class: "then" }, "then"), ...passed) : null);
}

function mapsBody(stage) {
  const state = { channel: (stage.views ? stage.views.channels : stage.order)[0], row: 0, column: 0 };
  const [looks, panel] = [make("div", { class: "looks" }), make("div", { class: "window" })];
  const spoken = make("p", { class: "hidden", role: "status" });
  const move = (row, column) => {
    state.row = Math.min(Math.max(row, 0), stage.out[0] - 1);
    state.column = Math.min(Math.max(column, 0), stage.out[1] - 1);
    fill(looks, ...looksOf(stage, state, move));
    spoken.textContent = looks.lastElementChild.textContent;
    fill(panel, ...(stage.geometry.size ? windowPanel(stage, windowOf(stage, state.row, state.column, state.channel)) : []));
  };
  const choose = (channel) => {
    state.channel = channel;
    move(...peakOf(stage, channel));
  };
  choose(state.channel);
  return [make("h3", {}, "Feature maps"), gallery(stage, state.channel, choose), make("h3", {}, "One number, looked at"), looks, spoken, panel];
}

const best = (values) => values.reduce((a, v, i) => (v > values[a] ? i : a), 0);

// A pool over everything: one number for each channel.
function globalBody(stage) {
  const [from, stored] = [image(stage.x), vector(stage.y)];
  if (!stored) return [make("p", { class: "soft small" }, "Its numbers are not stored, to keep the page small.")];
  const [values, box] = [Array.from(stored), make("div", { class: "term" })];
  const choose = (channel) => {
    const [h, w] = stage.in;
    const result = equation(`${stage.kind} of ${count(h * w)} numbers`, values[channel], [], values[channel], false);
    if (!from) return fill(box, make("span", { class: "soft small" }, `channel ${channel}`), operator("→"), result);
    const map = plane(from, channel);
    const canvas = make("canvas", { role: "img", "aria-label": `channel ${channel}` });
    paintPlane(canvas, map, 224);
    const chosen = stage.kind === "maximum" ? (v) => v === values[channel] : undefined;
    const rows = grid(map.h, map.w, (y, x) => map.at[y * map.w + x]);
    fill(box, map.h * map.w <= 64 ? cells(rows, `channel ${channel}`, chosen) : make("figure", {}, canvas),
      operator("→"), result);
  };
  choose(best(values));
  return [make("h3", {}, "Channels"), squares(values, best(values), choose, (i) => `channel ${i}`), make("h3", {}, "One number, looked at"), box];
}

function denseBody(stage, i) {
  const stored = vector(stage.y);
  if (!stored) return [make("p", { class: "soft small" }, "Its numbers are not stored, to keep the page small.")];
  const values = Array.from(stored);
  const last = i === data.stages.length - 1 && values.length === data.classes.length;
  const name = (unit) => (last ? `class ${data.classes[unit]}` : `unit ${unit}`);
  const box = make("div", { class: "window" });
  const choose = (unit) => fill(box, ...unitPanel(stage, unitOf(stage, unit), name(unit), values[unit]));
  choose(best(values));
  return [make("h3", {}, last ? "Classes" : "Units"), squares(values, best(values), choose, name), make("h3", {}, "One number, looked at"), box, last && data.softmax ? softmaxTable(values) : null];
}

function unitPanel(stage, found, name, value) {
  if (!found) return [make("p", { class: "soft small" }, `${name} is ${show(value)}. To keep the page small, products are stored of the ${stage.units.length} strongest units.`)];
  const from = (i) => (stage.from.length === 3 ? placed(i, stage.from) : `number ${i}`);
  const table = partsTable(found.parts.map(([i, x, w]) => [from(i), x, w]), found.rest, "input");
  const canvas = make("canvas", { role: "img", "aria-label": "products by place" });
  const map = found.map && (found.map.at ? found.map : { h: found.map.shape[0], w: found.map.shape[1], at: numbers(found.map, "data") });
  if (map) paintPlane(canvas, map, 200);
  return [
    make("p", { class: "soft small" }, `${name}: the largest of its ${count(stage.in[0])} products`),
    make("div", { class: "products" }, table, map ? make("figure", {}, canvas, make("figcaption", {}, "Products by place, all channels added up.")) : null),
    equation(`sum of ${count(stage.in[0])} products`, found.total, stepsOf(stage, found, found.unit), found.value, stage.softmax),
  ];
}

function placed(i, [, w, c]) {
  return `row ${Math.floor(i / c / w)}, column ${Math.floor(i / c) % w}${c > 1 ? `, channel ${i % c}` : ""}`;
}

function softmaxTable(values) {
  const top = Math.max(...values);
  const powers = values.map((v) => Math.exp(v - top));
  const total = sum(powers);
  const order = values.map((_, i) => i).sort((a, b) => values[b] - values[a]).slice(0, 5);
  const rows = order.map((i) => [data.classes[i], show(values[i]), show(powers[i]), percent(powers[i] / total)]);
  return make("div", {}, make("h3", {}, "From scores to probabilities"),
    make("p", { class: "soft small" }, `Softmax: exp(z) over the sum of exp(z) of all ${count(values.length)} classes. The largest z, ${show(top)}, is taken from each first, which changes nothing; the sum is ${show(total)}.`),
    make("table", { class: "parts softmax" },
      make("thead", {}, make("tr", {}, ...["class", "z", "exp(z − largest)", "probability"].map((t) => make("th", { scope: "col" }, t)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((t) => make("td", {}, t)))))));
}

function contents() {
  const entry = (href, title, shape) => make("li", {}, make("a", { href }, make("b", {}, title), make("span", {}, shape)));
  return make("nav", { "aria-label": "stages" }, make("ol", {},
    entry("#top", "Input", times(data.picture.shape)),
    ...data.stages.map((stage, i) => entry(`#stage-${i}`, stage.name, times(stage.out)))));
}

function followScrolling() {
  const links = [...document.querySelectorAll("nav a")];
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((e) => e.isIntersecting))
      links.forEach((a) => a.parentElement.classList.toggle("here", a.hash === `#${entry.target.id}`));
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("#top, section.stage").forEach((s) => watcher.observe(s));
}

if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
document.body.append(make("div", { class: "page" }, contents(),
  make("main", {}, make("div", { id: "top" }, ...hero()), ...data.stages.map(card),
    make("footer", {}, ...data.notes.map((note) => make("p", {}, note))))));
followScrolling();
document.documentElement.dataset.ready = "yes";
