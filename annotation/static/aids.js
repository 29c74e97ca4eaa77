// What helps the eye: contrast, difference to the onset frame, motion magnification. Pure functions over pixels.

export const AMOUNTS = [2, 5, 10, 20, 40];

/** How pictures are shown when nothing is changed. */
export function plain() {
  return { brightness: 0, contrast: 1, mode: "plain", amount: 5 };
}

/** Whether pixels have to be touched at all. */
export function isPlain(aids) {
  return aids.mode === "plain" && aids.brightness === 0 && aids.contrast === 1;
}

/**
 * Grey values through brightness and contrast: 256 values. Contrast turns around middle grey; brightness is added
 * (-128 to 128).
 */
export function toneCurve(brightness, contrast) {
  const curve = new Uint8ClampedArray(256);
  for (let grey = 0; grey < 256; grey += 1) curve[grey] = (grey - 128) * contrast + 128 + brightness;
  return curve;
}

/**
 * The grey of RGBA pixels, averaged over a square of 2 * radius + 1 pixels, Float32 (width * height).
 *
 * Averaging keeps the camera's noise and the blocks of JPEG from being magnified with the movement.
 */
export function smoothGrey(rgba, width, height, radius = 2) {
  const rows = new Float32Array(width * height);
  const span = 2 * radius + 1;
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    let sum = 0;
    for (let x = -radius; x <= radius; x += 1) sum += rgba[4 * (row + Math.min(width - 1, Math.max(0, x)))];
    for (let x = 0; x < width; x += 1) {
      rows[row + x] = sum;
      sum += rgba[4 * (row + Math.min(width - 1, x + radius + 1))] - rgba[4 * (row + Math.max(0, x - radius))];
    }
  }
  const out = new Float32Array(width * height);
  const sums = new Float32Array(width);
  for (let y = -radius; y <= radius; y += 1) {
    const row = Math.min(height - 1, Math.max(0, y)) * width;
    for (let x = 0; x < width; x += 1) sums[x] += rows[row + x];
  }
  for (let y = 0; y < height; y += 1) {
    const next = Math.min(height - 1, y + radius + 1) * width;
    const last = Math.max(0, y - radius) * width;
    const row = y * width;
    for (let x = 0; x < width; x += 1) {
      out[row + x] = sums[x] / (span * span);
      sums[x] += rows[next + x] - rows[last + x];
    }
  }
  return out;
}

const MOST_POINTS = 8000;
const MOST_GREY = 8;
const ROUNDS = 4;

/**
 * A picture to compare others with: its averaged grey, and what `headMotion` needs of it.
 *
 * @param {Float32Array} grey `smoothGrey` of the picture
 */
export function referenceOf(grey, width, height) {
  const points = [];
  const matrix = new Float64Array(16);
  // Four numbers are looked for: some thousand places say as much as all.
  const apart = Math.max(1, Math.round(Math.sqrt((width * height) / MOST_POINTS)));
  for (let y = 2; y < height - 2; y += apart) {
    for (let x = 2; x < width - 2; x += apart) {
      const i = y * width + x;
      const gx = (grey[i + 1] - grey[i - 1]) / 2;
      const gy = (grey[i + width] - grey[i - width]) / 2;
      // Even areas say nothing of movement.
      if (gx * gx + gy * gy < 1) continue;
      const row = steepness(gx, gy, (x - width / 2) / width, (y - height / 2) / width);
      points.push(i, x, y, ...row);
      for (let k = 0; k < 16; k += 1) matrix[k] += row[k >> 2] * row[k & 3];
    }
  }
  return { grey, width, height, points: Float32Array.from(points), matrix };
}

/** How the grey at a place changes with shift right, shift down, growth and turn. */
function steepness(gx, gy, x, y) {
  return [gx, gy, gx * x + gy * y, gy * x - gx * y];
}

/**
 * How the whole picture has moved since the reference: [right, down, growth, turn], a similarity around the middle.
 *
 * Found by least squares on the reference's slopes (Lucas and Kanade's method) with residuals cut at 8 greys, so that what
 * moves by itself, such as a brow, counts little. Good for movements of some pixels.
 */
export function headMotion(smooth, reference) {
  const { width, height, points, matrix } = reference;
  const motion = [0, 0, 0, 0];
  if (points.length < 7 * 32) return motion;
  for (let round = 0; round < ROUNDS; round += 1) {
    const sums = [0, 0, 0, 0];
    for (let k = 0; k < points.length; k += 7) {
      const x = (points[k + 1] - width / 2) / width;
      const y = (points[k + 2] - height / 2) / width;
      const there = sampled(smooth, width, height, points[k + 1] + motion[0] + motion[2] * x - motion[3] * y, points[k + 2] + motion[1] + motion[2] * y + motion[3] * x);
      const off = Math.min(MOST_GREY, Math.max(-MOST_GREY, there - reference.grey[points[k]]));
      for (let j = 0; j < 4; j += 1) sums[j] -= points[k + 3 + j] * off;
    }
    const step = solved(matrix, sums);
    for (let j = 0; j < 4; j += 1) motion[j] += step[j];
  }
  return motion.every((value) => Math.abs(value) < width / 4) ? motion : [0, 0, 0, 0];
}

function sampled(grey, width, height, x, y) {
  x = Math.min(width - 1.001, Math.max(0, x));
  y = Math.min(height - 1.001, Math.max(0, y));
  const i = (y | 0) * width + (x | 0);
  const fx = x - (x | 0);
  const fy = y - (y | 0);
  const top = grey[i] + fx * (grey[i + 1] - grey[i]);
  const below = grey[i + width] + fx * (grey[i + width + 1] - grey[i + width]);
  return top + fy * (below - top);
}

/** Gauss's elimination of four equations; the matrix is made a little steeper, so that even pictures do no harm. */
function solved(matrix, right) {
  const rows = right.map((value, i) => [...matrix.slice(4 * i, 4 * i + 4), value]);
  rows.forEach((row, i) => (row[i] += 1));
  for (let i = 0; i < 4; i += 1) {
    for (let k = i + 1; k < 4; k += 1) {
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j < 5; j += 1) rows[k][j] -= factor * rows[i][j];
    }
  }
  const out = [0, 0, 0, 0];
  for (let i = 3; i >= 0; i -= 1) {
    let value = rows[i][4];
    for (let j = i + 1; j < 4; j += 1) value -= rows[i][j] * out[j];
    out[i] = value / rows[i][i];
  }
  return out;
}

/**
 * Change RGBA pixels in place.
 *
 * `difference`: middle grey plus `amount` times the change of the averaged picture since the reference; what got
 * brighter is light, what got darker dark. `magnify`: the picture plus (amount - 1) times that change, the linear form of
 * Eulerian magnification, against the reference instead of a band of frequencies. It shows movements of under a pixel as
 * if they were `amount` times as large; larger ones leave ghosts. The movement of the head as a whole is taken off
 * before. Without a reference both leave the picture as it is.
 *
 * @param {Uint8ClampedArray} rgba pixels of the frame
 * @param {object|null} reference `referenceOf` the onset frame at the same size
 */
export function applyAids(rgba, width, height, aids, reference) {
  const curve = toneCurve(aids.brightness, aids.contrast);
  const moved = aids.mode !== "plain" && reference !== null;
  const change = moved ? changeSince(smoothGrey(rgba, width, height), reference) : null;
  const gain = aids.mode === "difference" ? aids.amount : aids.amount - 1;
  for (let i = 0, p = 0; p < rgba.length; i += 1, p += 4) {
    let grey = rgba[p];
    if (moved) {
      grey = (aids.mode === "difference" ? 128 : grey) + change[i] * gain;
      grey = grey < 0 ? 0 : grey > 255 ? 255 : (grey + 0.5) | 0;
    }
    const value = curve[grey];
    rgba[p] = value;
    rgba[p + 1] = value;
    rgba[p + 2] = value;
  }
}

/** How much brighter each place is than in the reference, after the head's movement is taken off. */
function changeSince(smooth, reference) {
  const { width, height, grey } = reference;
  const [right, down, growth, turn] = headMotion(smooth, reference);
  const change = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const v = (y - height / 2) / width;
    for (let x = 0; x < width; x += 1) {
      const u = (x - width / 2) / width;
      const i = y * width + x;
      change[i] = smooth[i] - sampled(grey, width, height, x - right - growth * u + turn * v, y - down - growth * v - turn * u);
    }
  }
  return change;
}

/** In words, for the line under the picture and for screen readers. */
export function describe(aids, reference) {
  const parts = [];
  if (aids.mode !== "plain") parts.push(`${aids.mode === "difference" ? "difference" : "magnified"} ×${aids.amount} since frame ${reference}`);
  if (aids.brightness) parts.push(`brightness ${aids.brightness > 0 ? "+" : ""}${aids.brightness}`);
  if (aids.contrast !== 1) parts.push(`contrast ×${aids.contrast.toFixed(2)}`);
  return parts.join(", ");
}
