// What helps the eye: contrast, difference to the onset frame, motion magnification. Pure functions over pixels.

export const AMOUNTS = [2, 5, 10, 20, 40];

/** How pictures are shown when nothing is changed. */
export function plain() {
  return { brightness: 0, contrast: 1, mode: "plain", amount: 10 };
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

/**
 * Change RGBA pixels in place.
 *
 * `difference`: middle grey plus `amount` times the change of the averaged picture since the reference; what got
 * brighter is light, what got darker dark. `magnify`: the picture plus (amount - 1) times that change, the linear form of
 * Eulerian magnification, against the reference instead of a band of frequencies. It shows movements of under a pixel as
 * if they were `amount` times as large; larger ones leave ghosts. Without a reference both leave the picture as it is.
 *
 * @param {Uint8ClampedArray} rgba pixels of the frame
 * @param {Float32Array|null} reference `smoothGrey` of the onset frame at the same size
 */
export function applyAids(rgba, width, height, aids, reference) {
  const curve = toneCurve(aids.brightness, aids.contrast);
  const moved = aids.mode !== "plain" && reference !== null;
  const smooth = moved ? smoothGrey(rgba, width, height) : null;
  const gain = aids.mode === "difference" ? aids.amount : aids.amount - 1;
  for (let i = 0, p = 0; p < rgba.length; i += 1, p += 4) {
    let grey = rgba[p];
    if (moved) {
      const change = (smooth[i] - reference[i]) * gain;
      grey = (aids.mode === "difference" ? 128 : grey) + change;
      grey = grey < 0 ? 0 : grey > 255 ? 255 : grey | 0;
    }
    const value = curve[grey];
    rgba[p] = value;
    rgba[p + 1] = value;
    rgba[p + 2] = value;
  }
}

/** In words, for the line under the picture and for screen readers. */
export function describe(aids, reference) {
  const parts = [];
  if (aids.mode !== "plain") parts.push(`${aids.mode === "difference" ? "difference" : "magnified"} ×${aids.amount} since frame ${reference}`);
  if (aids.brightness) parts.push(`brightness ${aids.brightness > 0 ? "+" : ""}${aids.brightness}`);
  if (aids.contrast !== 1) parts.push(`contrast ×${aids.contrast.toFixed(2)}`);
  return parts.join(", ");
}
