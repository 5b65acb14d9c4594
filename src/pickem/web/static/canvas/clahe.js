/**
 * How does faint structure show in a dark and in a bright corner alike? Contrast-limited adaptive histogram
 * equalisation (Zuiderveld 1994): every tile of the image has a grey curve of its own, and a pixel gets the
 * mixture of the four curves around it, so that no border of a tile is seen.
 */

const TILE = 32; // pixels, height and width, about
const LIMIT = 3; // times the even share of pixels that a grey value may have: more turns flat areas into noise

/** @typedef {{first: number, second: number, share: number}} Between two tiles, and how far towards the second */

/**
 * @param {Uint8Array} image grey, row-major @param {number} width @param {number} height
 * @returns {Uint8Array} grey
 */
export function equalised(image, width, height) {
  const rows = Math.max(1, Math.round(height / TILE));
  const columns = Math.max(1, Math.round(width / TILE));
  const curves = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [top, bottom] = [row, row + 1].map((n) => Math.round((n * height) / rows));
      const [left, right] = [column, column + 1].map((n) => Math.round((n * width) / columns));
      curves.push(curveOf(image, width, { top, bottom, left, right }));
    }
  }
  const across = Array.from({ length: width }, (_, x) => between(x, columns, width));
  const made = new Uint8Array(image.length);
  for (let y = 0; y < height; y++) {
    const down = between(y, rows, height);
    for (let x = 0; x < width; x++) {
      const value = image[y * width + x];
      const upper = mixed(curves, down.first * columns, across[x], value);
      const lower = mixed(curves, down.second * columns, across[x], value);
      made[y * width + x] = Math.round(upper + down.share * (lower - upper));
    }
  }
  return made;
}

/**
 * @param {Float64Array[]} curves @param {number} row index of its first curve @param {Between} across
 * @param {number} value grey
 */
function mixed(curves, row, across, value) {
  const first = curves[row + across.first][value];
  return first + across.share * (curves[row + across.second][value] - first);
}

/** @param {number} at pixel @param {number} tiles @param {number} length pixels @returns {Between} */
function between(at, tiles, length) {
  const place = ((at + 0.5) * tiles) / length - 0.5; // 0 in the middle of the first tile
  const first = Math.min(Math.max(Math.floor(place), 0), tiles - 1);
  const second = Math.min(first + 1, tiles - 1);
  return { first, second, share: Math.min(Math.max(place - first, 0), 1) };
}

/**
 * @param {Uint8Array} image @param {number} width
 * @param {{top: number, bottom: number, left: number, right: number}} tile
 * @returns {Float64Array} shown grey for each grey value
 */
function curveOf(image, width, { top, bottom, left, right }) {
  const counts = new Float64Array(256);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) counts[image[y * width + x]]++;
  }
  const pixels = (bottom - top) * (right - left);
  const most = (LIMIT * pixels) / 256;
  let cut = 0;
  for (let value = 0; value < 256; value++) {
    cut += Math.max(0, counts[value] - most);
    counts[value] = Math.min(counts[value], most);
  }
  let below = 0;
  return counts.map((count) => {
    const share = count + cut / 256; // what was cut off is spread over all grey values
    below += share;
    return ((below - share / 2) / pixels) * 255;
  });
}
