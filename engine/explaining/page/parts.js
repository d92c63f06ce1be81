// Pieces of the page. Text only ever enters as text: names come from files that nobody vouches for.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value ?? "";
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const fill = (element, ...children) => element.replaceChildren(...children.filter(Boolean));

function tint(v, top) {
  if (!v || !top) return "";
  return `rgba(var(${v > 0 ? "--warm" : "--cool"}), ${(0.1 + 0.6 * Math.min(1, Math.abs(v) / top)).toFixed(2)})`;
}

function cells(rows, caption, chosen = () => false) {
  const top = largest(rows.flat().map((v) => v ?? 0));
  const body = rows.map((row) =>
    make("tr", {}, ...row.map((v) => {
      if (v === null) return make("td", { class: "pad", title: "padding" }, "·");
      const cell = make("td", { title: String(v), class: chosen(v) ? "chosen" : null }, show(v));
      cell.style.background = tint(v, top);
      return cell;
    })),
  );
  const table = make("table", { class: `cells${rows.length > 5 ? " dense" : ""}`, "aria-label": caption }, make("tbody", {}, ...body));
  return make("figure", {}, make("figcaption", {}, caption), table);
}

const operator = (text) => make("span", { class: "op" }, text);

function beam(v, top) {
  const part = make("div", { class: `beam ${v < 0 ? "negative" : "positive"}` });
  part.style.width = `${top ? (100 * Math.abs(v)) / top : 0}%`;
  const [left, right] = [make("div"), make("div")];
  (v < 0 ? left : right).append(part);
  return make("div", { class: "half" }, left, right);
}

// Products as a table: [label, input, weight]...
function partsTable(parts, rest, head) {
  const top = largest(parts.map(([, x, w]) => x * w));
  const row = (texts, bar) => make("tr", {}, ...texts.map((t) => make("td", {}, t)), make("td", { class: "bar" }, bar ?? ""));
  return make("table", { class: "parts" },
    make("thead", {}, make("tr", {}, ...[head, "value", "weight", "product", ""].map((t) => make("th", { scope: "col" }, t)))),
    make("tbody", {},
      ...parts.map(([label, x, w]) => row([label, show(x), show(w), show(x * w)], beam(x * w, top))),
      rest.count ? row([`${count(rest.count)} others`, "", "", show(rest.total)]) : null));
}

// Boxes that lead from the sum to the element.
function equation(first, total, steps, value, softmax) {
  const box = (label, number, last) => make("div", { class: last ? "result" : null }, make("span", {}, label), make("b", {}, number));
  const boxes = [[first, total], ...steps];
  return make("div", { class: "equation" },
    ...boxes.map(([label, number], i) => box(label, show(number), i === boxes.length - 1 && !softmax)),
    softmax ? box("goes into softmax", show(value), true) : null);
}

function termOf(stage, term, found) {
  if (!term.kernel) {
    const chosen = stage.kind === "maximum" ? (v) => v === found.total : undefined;
    const kept = stage.kind === "maximum" ? "its largest number" : `its ${stage.kind}`;
    return make("div", { class: "term" },
      cells(term.patch, `window in channel ${term.channel}`, chosen), operator("→"),
      make("span", { class: "soft small" }, kept), make("span", { class: "total" }, show(found.total)));
  }
  const products = term.patch.map((row, y) => row.map((v, x) => (v === null ? null : v * term.kernel[y][x])));
  return make("div", { class: "term" },
    cells(term.patch, `patch of input channel ${term.channel}`), operator("⊙"),
    cells(term.kernel, "kernel"), operator("="),
    cells(products, "products"), operator("→"),
    make("figure", {}, make("figcaption", {}, "their sum"), make("span", { class: "total" }, show(term.total))));
}

// What one element of a convolution or pool is made of.
function windowPanel(stage, found) {
  if (!found) return [make("p", { class: "soft small" }, "The numbers of this window are not stored, to keep the page small.")];
  const all = found.terms.length + found.rest.count;
  const restOf = (most) => ({
    count: Math.max(0, all - most),
    total: found.rest.total + sum(found.terms.slice(most).map((t) => t.total)),
  });
  const [kh, kw] = stage.geometry.size;
  const body = [];
  if (found.terms[0].kernel && kh * kw === 1) {
    const parts = found.terms.slice(0, 8).map((t) => [`channel ${t.channel}`, t.patch[0][0] ?? 0, t.kernel[0][0]]);
    body.push(partsTable(parts, restOf(parts.length), "input"));
  } else if (Math.max(kh, kw) <= 11) {
    const rest = restOf(3);
    body.push(make("div", { class: "sum" }, ...found.terms.slice(0, 3).map((term) => termOf(stage, term, found))));
    if (rest.count) body.push(make("p", { class: "soft small rest" }, `and ${count(rest.count)} further input channel${rest.count > 1 ? "s" : ""}, whose sums add ${show(rest.total)}`));
  }
  if (!found.terms[0].kernel && !stage.activation) return body;
  const first = !found.terms[0].kernel ? stage.kind : all > 1 ? `sum over ${count(all)} channels` : "sum of the products";
  return [...body, equation(first, found.total, stepsOf(stage, found, found.channel), found.value, false)];
}
