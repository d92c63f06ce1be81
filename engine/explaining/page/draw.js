// Canvases: zero is dark, what is above it warm, what is below it blue.

function colour(t) {
  const scale = t < 0 ? data.colours.cool : data.colours.warm;
  const place = Math.min(1, Math.abs(t) || 0) * (scale.length - 1);
  const i = Math.min(scale.length - 2, Math.floor(place));
  return scale[i].map((v, k) => v + (scale[i + 1][k] - v) * (place - i));
}

const largest = (list) => list.reduce((a, v) => (Math.abs(v) > a ? Math.abs(v) : a), 0);

// A plane of pixels {h, w, rgb(i)} at a whole scale, at most `side` wide.
function paint(canvas, h, w, rgb, side = 280) {
  const scale = Math.max(1, Math.floor(side / Math.max(h, w)));
  const exact = document.createElement("canvas");
  [exact.width, exact.height] = [w, h];
  const pen = exact.getContext("2d");
  const pixels = pen.createImageData(w, h);
  for (let i = 0; i < h * w; i++) pixels.data.set([...rgb(i), 255], i * 4);
  pen.putImageData(pixels, 0, 0);
  [canvas.width, canvas.height] = [w * scale, h * scale];
  const big = canvas.getContext("2d");
  big.imageSmoothingEnabled = false;
  big.drawImage(exact, 0, 0, canvas.width, canvas.height);
  return scale;
}

function paintPlane(canvas, from, side) {
  const top = largest(from.at);
  return paint(canvas, from.h, from.w, (i) => colour(top ? from.at[i] / top : 0), side);
}

// A small map on a scale that it shares with others, on which weak numbers are still seen.
function paintThumb(canvas, from, top) {
  paint(canvas, from.h, from.w, (i) => colour(top ? Math.sign(from.at[i]) * Math.sqrt(Math.abs(from.at[i]) / top) : 0), 52);
}

function outline(canvas, x, y, h, w) {
  const pen = canvas.getContext("2d");
  const width = Math.max(2, canvas.width / 110);
  for (const [style, size] of [["#0d0b14", width * 2], ["#ffffff", width]]) {
    pen.strokeStyle = style;
    pen.lineWidth = size;
    pen.strokeRect(x, y, Math.max(w, 2), Math.max(h, 2));
  }
}

function paintPicture(canvas, side = 280) {
  const [h, w, c] = data.picture.view.shape;
  const at = small(data.picture.view);
  paint(canvas, h, w, (i) => [0, 1, 2].map((k) => at[i * c + (c === 3 ? k : 0)]), side);
  return [canvas.height / data.picture.shape[0], canvas.width / data.picture.shape[1]];
}

// The single bytes of something that is stored in a coarse form.
const kept = new Map();
function small(owner) {
  if (!kept.has(owner)) kept.set(owner, bytes(owner.data));
  return kept.get(owner);
}

function paintEvidence(canvas, strength) {
  paintPicture(canvas, 560);
  const [h, w] = data.evidence.shape;
  const map = numbers(data.evidence, "data");
  const top = largest(map) || 1;
  const patch = document.createElement("canvas");
  [patch.width, patch.height] = [w, h];
  const pen = patch.getContext("2d");
  const pixels = pen.createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    const t = map[i] / top;
    pixels.data.set([...colour(Math.sign(t) * (0.25 + 0.75 * Math.abs(t))), 255 * Math.min(1, Math.abs(t) * 1.6) * strength], i * 4);
  }
  pen.putImageData(pixels, 0, 0);
  const big = canvas.getContext("2d");
  const grey = big.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < grey.data.length; i += 4) {
    const light = 0.3 * grey.data[i] + 0.59 * grey.data[i + 1] + 0.11 * grey.data[i + 2];
    for (let k = 0; k < 3; k++) grey.data[i + k] += (light * 0.8 - grey.data[i + k]) * strength;
  }
  big.putImageData(grey, 0, 0);
  big.imageSmoothingEnabled = true;
  big.imageSmoothingQuality = "high";
  big.drawImage(patch, 0, 0, canvas.width, canvas.height);
}
