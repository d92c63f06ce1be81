// One element looked at: the picture with what is seen of it, the input with the window, the map with the element.

function looksOf(stage, state, move) {
  const found = stage.geometry.size ? windowOf(stage, state.row, state.column, state.channel) : null;
  return [sightFigure(stage, state), inputFigure(stage, state, found), mapFigure(stage, state, found, move)];
}

function mapFigure(stage, state, found, move) {
  const map = mapOf(stage, state.channel);
  const canvas = make("canvas", {
    tabindex: stage.whole ? 0 : null, role: "img", "data-map": stage.y,
    "aria-label": `map of channel ${state.channel}; arrow keys move the chosen element`,
  });
  const scale = paintPlane(canvas, map);
  const [sy, sx] = [(scale * map.h) / stage.out[0], (scale * map.w) / stage.out[1]];
  if (found || stage.whole) outline(canvas, state.column * sx, state.row * sy, sy, sx);
  if (stage.whole) followInput(canvas, stage, state, move);
  const value = found ? `, value ${show(found.value)}` : "";
  const hint = stage.whole ? " Click another, or use the arrow keys." : found ? " Its strongest number is marked." : "";
  return make("figure", {}, canvas, make("figcaption", {}, make("b", {}, `Channel ${state.channel}. `), `Row ${state.row}, column ${state.column}${value}.${hint}`));
}

function followInput(canvas, stage, state, move) {
  const to = (row, column) => {
    move(row, column);
    document.querySelector(`canvas[data-map="${stage.y}"]`).focus({ preventScroll: true });
  };
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    to(Math.floor(((event.clientY - box.top) / box.height) * stage.out[0]), Math.floor(((event.clientX - box.left) / box.width) * stage.out[1]));
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    to(state.row + step[0], state.column + step[1]);
  });
}

// First and last row or column of the picture that an element depends on.
function sight(stage, axis, place) {
  const { low, high, jump } = stage.field;
  const cell = (edge) => Math.floor(edge[axis] + place * jump[axis] + 1e-6);
  return [Math.max(cell(low), 0), Math.min(cell(high), data.picture.shape[axis] - 1)];
}

function sightFigure(stage, state) {
  const canvas = make("canvas", { role: "img", "aria-label": "the picture, and what this element depends on" });
  const [sy, sx] = paintPicture(canvas);
  let text = "The element depends on all of it.";
  if (stage.field) {
    const [[top, bottom], [left, right]] = [sight(stage, 0, state.row), sight(stage, 1, state.column)];
    outline(canvas, left * sx, top * sy, (bottom + 1 - top) * sy, (right + 1 - left) * sx);
    text = `The element depends on rows ${top}–${bottom} and columns ${left}–${right}.`;
  }
  return make("figure", {}, canvas, make("figcaption", {}, make("b", {}, "The picture. "), text));
}

function inputFigure(stage, state, found) {
  const from = image(stage.x);
  if (!from || !stage.geometry.size) return null;
  const channel = found ? found.terms[0].channel : state.channel;
  const canvas = make("canvas", { role: "img", "aria-label": "the input of this stage, and the window in it" });
  const scale = paintPlane(canvas, plane(from, channel));
  const [rows, columns] = places(stage, state.row, state.column);
  outline(canvas, columns[0] * scale, rows[0] * scale, (rows.at(-1) - rows[0] + 1) * scale, (columns.at(-1) - columns[0] + 1) * scale);
  const why = stage.kernel && from.c > 1 && stage.kind !== "depthwise" ? ", which counts most here" : "";
  return make("figure", {}, canvas, make("figcaption", {}, make("b", {}, "Its input. "), `Channel ${channel}${why}, and the window.`));
}

// A map of a channel: whole, or the small picture that is stored of it.
function mapOf(stage, channel) {
  if (stage.whole) return plane(image(stage.y), channel);
  const [h, w] = stage.views.shape;
  const i = stage.views.channels.indexOf(channel);
  const [low, high] = [stage.views.low[i], stage.views.high[i]];
  const all = small(stage.views).subarray(i * h * w, (i + 1) * h * w);
  return { h, w, at: Float32Array.from(all, (b) => low + ((high - low) * b) / 255) };
}

// The element of a channel that is shown first.
function peakOf(stage, channel) {
  if (!stage.whole) {
    const found = (stage.windows || []).find((w) => w.channel === channel);
    return found ? [found.row, found.column] : [0, 0];
  }
  const map = mapOf(stage, channel);
  const best = map.at.reduce((a, v, i) => (Math.abs(v) > Math.abs(map.at[a]) ? i : a), 0);
  return [Math.floor(best / map.w), best % map.w];
}

function gallery(stage, chosen, choose) {
  const channels = stage.views ? stage.views.channels : stage.order;
  const top = largest(mapOf(stage, channels[0]).at);
  const thumb = (channel) => {
    const canvas = make("canvas");
    paintThumb(canvas, mapOf(stage, channel), top);
    return [canvas, `channel ${channel}`];
  };
  const box = choices("gallery", channels, chosen, choose, thumb, 24);
  const hidden = stage.out[2] - channels.length;
  if (hidden > 0) box.append(make("p", { class: "soft small" }, `the strongest ${channels.length} of ${stage.out[2]} channels`));
  return box;
}

// Buttons of which one is pressed; `face` gives what each shows, and its name.
function choices(name, items, chosen, choose, face, most) {
  const box = make("div", { class: name });
  const button = (item) => {
    const [shown, label] = face(item);
    return make("button", { type: "button", title: label, "aria-label": label, "aria-pressed": String(item === chosen), "data-item": item, onclick: (event) => {
      chosen = item;
      box.querySelectorAll("button[aria-pressed]").forEach((b) => b.setAttribute("aria-pressed", b === event.currentTarget));
      choose(item);
    } }, shown);
  };
  box.append(...items.slice(0, most).map(button));
  if (items.length > most)
    box.append(make("button", { type: "button", class: "more", onclick: (event) => event.currentTarget.replaceWith(...items.slice(most).map(button)) }, `all ${count(items.length)}`));
  return box;
}

// Numbers as squares of their colour.
function squares(values, chosen, choose, name) {
  const top = largest(values);
  const face = (i) => {
    const square = make("i");
    square.style.background = `rgb(${colour(top ? values[i] / top : 0).map(Math.round).join(" ")})`;
    return [square, `${name(i)}: ${show(values[i])}`];
  };
  return choices("units", values.map((_, i) => i), chosen, choose, face, 256);
}
