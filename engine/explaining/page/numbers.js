// The numbers behind the picture: decoding, and what makes one element of a stage's result.

const data = JSON.parse(document.getElementById("data").textContent);

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);

const decoded = new Map();
function numbers(owner, key) {
  if (!owner || owner[key] === undefined) return null;
  if (!decoded.has(owner)) decoded.set(owner, {});
  const known = decoded.get(owner);
  return (known[key] ??= floats(owner[key]));
}

// A stored value {shape, data}, with the axes of an image; null where it is not stored.
function image(id) {
  const stored = data.values[id];
  if (!stored || stored.shape.length !== 3) return null;
  const [h, w, c] = stored.shape;
  return { h, w, c, at: numbers(stored, "data") };
}

const vector = (id) => (data.values[id] ? numbers(data.values[id], "data") : null);

// One channel of an image.
function plane(from, channel) {
  const found = new Float32Array(from.h * from.w);
  for (let i = 0; i < found.length; i++) found[i] = from.at[i * from.c + channel];
  return { h: from.h, w: from.w, at: found };
}

// Which rows and columns of its input an element looks at; those outside are padding.
function places(stage, row, column) {
  const { size, strides, before, dilation } = stage.geometry;
  const along = (axis, place) =>
    Array.from({ length: size[axis] }, (_, k) => place * strides[axis] - before[axis] + k * dilation[axis]);
  return [along(0, row), along(1, column)];
}

function patchOf(stage, from, row, column, channel) {
  const [rows, columns] = places(stage, row, column);
  const inside = (y, x) => y >= 0 && y < from.h && x >= 0 && x < from.w;
  return rows.map((y) => columns.map((x) => (inside(y, x) ? from.at[(y * from.w + x) * from.c + channel] : null)));
}

// The channels that an element reads, and the kernel of each.
function kernelsOf(stage, from, channel) {
  const [kh, kw] = stage.geometry.size;
  const all = numbers(stage, "kernel");
  const out = stage.out[2];
  if (stage.kind === "depthwise") {
    const copies = out / from.c;
    const source = Math.floor(channel / copies);
    return [[source, (y, x) => all[((y * kw + x) * from.c + source) * copies + (channel % copies)]]];
  }
  const each = from.c / stage.geometry.groups;
  const first = Math.floor(channel / (out / stage.geometry.groups)) * each;
  const kernel = (i) => (y, x) => all[((y * kw + x) * each + i) * out + channel];
  return Array.from({ length: each }, (_, i) => [first + i, kernel(i)]);
}

const grid = (h, w, cell) => Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => cell(y, x)));
const sum = (list) => list.reduce((a, b) => a + b, 0);

function pooled(stage, patch) {
  const cells = patch.flat().filter((v) => v !== null);
  if (stage.kind === "maximum") return cells.reduce((a, b) => (a > b ? a : b));
  if (stage.kind === "mean") return sum(cells) / cells.length;
  if (stage.kind === "norm") return sum(cells.map((v) => Math.abs(v) ** stage.geometry.p)) ** (1 / stage.geometry.p);
  const positive = cells.map((v) => Math.max(v, 0));
  const total = sum(positive);
  return total ? sum(positive.map((v) => v * v)) / total : 0;
}

// {terms, rest, total, bias, value} of one element: its terms by size, from what is stored.
function windowOf(stage, row, column, channel) {
  if (!stage.whole) return (stage.windows || []).find((w) => w.channel === channel) || null;
  const from = image(stage.x);
  const value = image(stage.y).at[(row * stage.out[1] + column) * stage.out[2] + channel];
  const rest = { count: 0, total: 0 };
  if (!stage.kernel) {
    const patch = patchOf(stage, from, row, column, channel);
    const total = pooled(stage, patch);
    return { row, column, channel, terms: [{ channel, patch, kernel: null, total }], rest, total, bias: 0, value };
  }
  const [kh, kw] = stage.geometry.size;
  const terms = kernelsOf(stage, from, channel).map(([source, weight]) => {
    const patch = patchOf(stage, from, row, column, source);
    const kernel = grid(kh, kw, weight);
    return { channel: source, patch, kernel, total: sum(patch.flatMap((r, y) => r.map((v, x) => (v ?? 0) * kernel[y][x]))) };
  });
  const total = sum(terms.map((t) => t.total));
  const bias = stage.bias ? numbers(stage, "bias")[channel] : 0;
  terms.sort((a, b) => Math.abs(b.total) - Math.abs(a.total));
  return { row, column, channel, terms, rest, total, bias, value };
}

// {unit, parts: [[index, input, weight]...], rest, total, bias, value, map} of one unit of a dense layer.
function unitOf(stage, unit) {
  if (!stage.whole) return stage.units.find((u) => u.unit === unit) || null;
  const x = vector(stage.x);
  const kernel = numbers(stage, "kernel");
  const count = stage.out[0];
  const products = Float64Array.from(x, (v, i) => v * kernel[i * count + unit]);
  const order = Array.from(x.keys()).sort((a, b) => Math.abs(products[b]) - Math.abs(products[a])).slice(0, 8);
  const total = sum(Array.from(products));
  const [h, w, c] = stage.from.length === 3 ? stage.from : [0, 0, 0];
  const map = h * w > 1 ? { h, w, at: Float32Array.from({ length: h * w }, (_, i) => sum(Array.from(products.subarray(i * c, (i + 1) * c)))) } : null;
  return {
    unit, total, map,
    parts: order.map((i) => [i, x[i], kernel[i * count + unit]]),
    rest: { count: x.length - order.length, total: total - sum(order.map((i) => products[i])) },
    bias: stage.bias ? numbers(stage, "bias")[unit] : 0,
    value: vector(stage.y)[unit],
  };
}

// The way from a sum to the element: [name, number] for each step.
function stepsOf(stage, found, channel) {
  const steps = [];
  let now = found.total;
  if (stage.bias) {
    now += found.bias;
    steps.push([`bias: ${plus(found.bias)}`, now]);
  }
  if (stage.scale) {
    const [scale, shift] = [numbers(stage, "scale")[channel], numbers(stage, "shift")[channel]];
    now = now * scale + shift;
    steps.push([`${stage.scale_name}: · ${show(scale)} ${plus(shift)}`, now]);
  }
  if (stage.activation) steps.push([stage.activation, found.value]);
  return steps;
}

function show(v) {
  if (v === null || v === undefined) return "";
  if (!Number.isFinite(v)) return String(v);
  if (v === 0) return "0";
  const size = Math.abs(v);
  const text = size >= 1e5 || size < 5e-4 ? v.toExponential(1) : v.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  return text.replace("-", "−");
}
const plus = (v) => (v < 0 ? `− ${show(-v)}` : `+ ${show(v)}`);
const times = (shape) => shape.join(" × ");
const count = (n) => n.toLocaleString("en");
