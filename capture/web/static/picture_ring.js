/* Decoded pictures by number, fetched ahead of need and let go of when they are far: what is behind a frame viewer. */

export class PictureRing {
  #url;
  #arrived;
  #failed;
  #decoded = new Map(); // index -> ImageBitmap
  #underWay = new Map(); // index -> AbortController
  #closed = false;

  /* `arrived(index, bitmap)` and `failed(index, error)` are called for what is still wanted then. */
  constructor(url, arrived, failed) {
    this.#url = url;
    this.#arrived = arrived;
    this.#failed = failed;
    this.requested = 0;
  }

  get size() {
    return this.#decoded.size;
  }

  get underWay() {
    return this.#underWay.size;
  }

  has(index) {
    return this.#decoded.has(index);
  }

  get(index) {
    return this.#decoded.get(index);
  }

  /* Fetch picture `index` unless it is here or on its way. */
  start(index) {
    if (this.#closed || this.#decoded.has(index) || this.#underWay.has(index)) return;
    const abort = new AbortController();
    this.requested += 1;
    this.#underWay.set(index, abort);
    this.#fetch(index, abort.signal);
  }

  /* Let go of every picture that `wanted(index)` does not want. */
  keep(wanted) {
    for (const [index, bitmap] of this.#decoded) {
      if (wanted(index)) continue;
      bitmap.close();
      this.#decoded.delete(index);
    }
    for (const [index, abort] of this.#underWay) {
      if (wanted(index)) continue;
      abort.abort();
      this.#underWay.delete(index);
    }
  }

  close() {
    this.#closed = true;
    this.keep(() => false);
  }

  async #fetch(index, signal) {
    let bitmap;
    try {
      const response = await fetch(this.#url(index), { signal });
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      bitmap = await createImageBitmap(await response.blob());
    } catch (error) {
      if (signal.aborted) return;
      this.#underWay.delete(index);
      this.#failed(index, error);
      return;
    }
    if (signal.aborted) {
      bitmap.close();
      return;
    }
    this.#underWay.delete(index);
    this.#decoded.set(index, bitmap);
    this.#arrived(index, bitmap);
  }
}
