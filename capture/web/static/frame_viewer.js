/*
 * Shows numbered frames of a recording on a canvas: exactly the frame that was asked for, and says which one it is.
 *
 *   import { FrameViewer } from "/shared/frame_viewer.js";
 *   const viewer = new FrameViewer(canvas, {
 *     url: (index) => `/frames/${key}/${index}.jpg?v=${version}`,  // same index, same picture: the browser may keep it
 *     count, rateFps, width, height,  // width, height: of the picture in pixels; taken from the first picture if absent
 *     ahead: 60, behind: 30,          // decoded pictures kept around the cursor (bitmaps: 4 bytes a pixel)
 *     parallel: 4,                    // requests under way at once
 *   });
 *
 *   viewer.frame                      // the frame on the canvas; -1 before the first one. Never a frame that is only asked for
 *   viewer.cursor                     // the frame that was asked for last
 *   await viewer.seek(index)          // resolves with true when that frame is drawn, false when another one was asked for
 *   viewer.step(n)                    // seek from the cursor; n may be negative; stops playing
 *   viewer.play({ speed: 1/8, direction: 1, from, to })   // true rate times speed, by the screen's own clock
 *   viewer.pause(), viewer.toggle(), viewer.speed = 1/4, viewer.playing
 *   viewer.setSource({ url, count, rateFps, width, height, ... })   // another recording, or another part of the frame
 *   viewer.fit(), viewer.zoomTo(scale, x, y), viewer.zoomBy(factor, canvasX, canvasY), viewer.panBy(dx, dy)
 *   viewer.view                       // { scale, x, y }: the picture's pixel (px, py) is drawn at (x + px*scale, y + py*scale)
 *   viewer.toPicture(clientX, clientY)     // where a pointer is, in the picture's pixels
 *   viewer.overlay = (context, viewer) => {}           // draws on top, in canvas pixels, after each frame
 *   viewer.painter = (context, bitmap, viewer) => {}   // draws the picture instead of drawImage; the transform is set
 *   viewer.filter = "contrast(1.5) brightness(1.2)"    // CSS filter of the picture
 *   await viewer.bitmap(index)        // ImageBitmap of any frame, to keep or compare; the viewer closes its own only
 *   viewer.redraw()                   // after overlay, painter or filter changed what they draw
 *   viewer.statistics()               // { requested, drawn, cached, late }
 *   viewer.close()
 *
 * Events (CustomEvent on the viewer, which is an EventTarget):
 *   frame  { frame, timeS }   is on the canvas now
 *   wait   { frame }          was asked for and is still on its way
 *   play   { playing, speed }
 *   view   { scale, x, y }
 *   error  { frame, message } could not be fetched or decoded; asking again tries again
 *
 * Wheel and two fingers zoom; the middle button, or one finger while zoomed in, pans; a double click fits. Keys belong to
 * the page.
 */

import { listenForGestures } from "./picture_gestures.js";
import { PictureRing } from "./picture_ring.js";

const SLOWEST = 1 / 32;
const LARGEST_SCALE = 32;

export class FrameViewer extends EventTarget {
  #canvas;
  #context;
  #source = null;
  #ring = null;
  #waiters = []; // { index, resolve }
  #playing = null;
  #speed = 1;
  #direction = 1;
  #travel = 1;
  #fitted = true;
  #raf = 0;
  #dirty = false;
  #counts = { drawn: 0, late: 0 };
  #observer;

  constructor(canvas, source) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.frame = -1;
    this.cursor = 0;
    this.view = { scale: 1, x: 0, y: 0 };
    this.overlay = null;
    this.painter = null;
    this.filter = "none";
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(canvas);
    listenForGestures(canvas, this);
    this.#resize();
    if (source) this.setSource(source);
  }

  get count() {
    return this.#source?.count ?? 0;
  }

  get rateFps() {
    return this.#source?.rateFps || 0;
  }

  get width() {
    return this.#source?.width ?? 0;
  }

  get height() {
    return this.#source?.height ?? 0;
  }

  get playing() {
    return this.#playing !== null;
  }

  get speed() {
    return this.#speed;
  }

  set speed(value) {
    this.#speed = Math.min(1, Math.max(SLOWEST, value));
    if (this.#playing) this.#restartClock();
    this.#tell("play", { playing: this.playing, speed: this.#speed });
  }

  /* Whether the whole picture is in sight. */
  get fitted() {
    return this.#fitted;
  }

  /* Another recording, or another part of the frame. The cursor stays where it is if the frame exists. */
  setSource(source) {
    this.pause();
    this.#ring?.close();
    const before = this.#source;
    this.#source = { ahead: 60, behind: 30, parallel: 4, rateFps: 0, width: 0, height: 0, ...source };
    if (!before || before.width !== this.#source.width || before.height !== this.#source.height) this.#fitted = true;
    this.#ring = new PictureRing(
      this.#source.url,
      (index, bitmap) => this.#arrived(index, bitmap),
      (index, error) => this.#failed(index, error),
    );
    this.frame = -1;
    this.cursor = Math.min(this.cursor, Math.max(0, this.count - 1));
    if (this.#fitted) this.fit();
    return this.count ? this.seek(this.cursor) : Promise.resolve(false);
  }

  seek(index) {
    this.pause();
    return this.#show(index);
  }

  step(n) {
    return this.seek(this.cursor + n);
  }

  play({ speed = this.#speed, direction = 1, from = this.cursor, to = null } = {}) {
    if (!this.count) return;
    this.#speed = Math.min(1, Math.max(SLOWEST, speed));
    this.#direction = direction < 0 ? -1 : 1;
    const end = to ?? (this.#direction > 0 ? this.count - 1 : 0);
    this.cursor = this.#clamp(from);
    if (this.cursor === end && to === null) this.cursor = this.#direction > 0 ? 0 : this.count - 1;
    this.#playing = { end, clock: null, origin: this.cursor };
    this.#show(this.cursor);
    this.#tell("play", { playing: true, speed: this.#speed });
    this.#schedule();
  }

  pause() {
    if (!this.#playing) return;
    this.#playing = null;
    this.#tell("play", { playing: false, speed: this.#speed });
  }

  toggle(options) {
    if (this.#playing) this.pause();
    else this.play(options);
  }

  /* The whole picture, as large as it fits. */
  fit() {
    this.#fitted = true;
    if (!this.width || !this.height) return;
    const { width, height } = this.#canvas;
    const scale = Math.min(width / this.width, height / this.height);
    this.#setView(scale, (width - this.width * scale) / 2, (height - this.height * scale) / 2);
  }

  /* `scale` canvas pixels per picture pixel, with the picture's pixel (x, y) in the upper left corner. */
  zoomTo(scale, x = 0, y = 0) {
    this.#fitted = false;
    this.#setView(scale, -x * scale, -y * scale);
  }

  zoomBy(factor, canvasX = this.#canvas.width / 2, canvasY = this.#canvas.height / 2) {
    const { scale, x, y } = this.view;
    const smallest = Math.min(this.#canvas.width / (this.width || 1), this.#canvas.height / (this.height || 1));
    const next = Math.min(LARGEST_SCALE, scale * factor);
    if (next <= smallest) return this.fit();
    this.#fitted = false;
    const ratio = next / scale;
    return this.#setView(next, canvasX - (canvasX - x) * ratio, canvasY - (canvasY - y) * ratio);
  }

  panBy(dx, dy) {
    this.#fitted = false;
    this.#setView(this.view.scale, this.view.x + dx, this.view.y + dy);
  }

  toPicture(clientX, clientY) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((clientX - box.left) * this.#canvas.width) / box.width;
    const y = ((clientY - box.top) * this.#canvas.height) / box.height;
    return { x: (x - this.view.x) / this.view.scale, y: (y - this.view.y) / this.view.scale };
  }

  /* Decoded afresh, so that it outlives the ring: whoever asks for it closes it. */
  async bitmap(index) {
    const response = await fetch(this.#source.url(this.#clamp(index)));
    if (!response.ok) throw new Error(`frame ${index}: ${response.status} ${response.statusText}`);
    return createImageBitmap(await response.blob());
  }

  redraw() {
    this.#dirty = true;
    this.#schedule();
  }

  statistics() {
    return { ...this.#counts, requested: this.#ring?.requested ?? 0, cached: this.#ring?.size ?? 0 };
  }

  close() {
    this.pause();
    this.#ring?.close();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#raf);
    this.#source = null;
  }

  #clamp(index) {
    return Math.min(Math.max(Math.round(index), 0), Math.max(0, this.count - 1));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #show(index) {
    if (!this.count) return Promise.resolve(false);
    const before = this.cursor;
    this.cursor = this.#clamp(index);
    if (this.cursor !== before) this.#travel = Math.sign(this.cursor - before);
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.index === this.cursor) this.#waiters.push(waiter);
      else waiter.resolve(false);
    }
    if (this.frame === this.cursor && this.#ring.has(this.cursor)) {
      this.#prefetch();
      return Promise.resolve(true);
    }
    const shown = new Promise((resolve) => this.#waiters.push({ index: this.cursor, resolve }));
    if (this.#ring.has(this.cursor)) this.#draw();
    else this.#tell("wait", { frame: this.cursor });
    this.#prefetch();
    return shown;
  }

  /* Fetch around the cursor, the nearest first, mostly in the direction of travel; let go of what is far. */
  #prefetch() {
    const { ahead, behind, parallel } = this.#source;
    // While playing faster than the screen, frames in between are never drawn and need not be fetched.
    const stride = this.#playing ? Math.max(1, Math.floor((this.rateFps * this.#speed) / 60)) : 1;
    this.#ring.keep((index) => {
      const distance = (index - this.cursor) * this.#travel;
      return distance <= ahead * stride && distance >= -behind;
    });
    const start = (index) => index >= 0 && index < this.count && this.#ring.start(index);
    // What is waited for does not queue behind what may be wanted later.
    start(this.cursor);
    for (let k = 1; k <= Math.max(ahead, behind) && this.#ring.underWay < parallel; k += 1) {
      if (k <= ahead) start(this.cursor + k * stride * this.#travel);
      if (this.#ring.underWay < parallel && k <= behind && !this.#playing) start(this.cursor - k * this.#travel);
    }
  }

  #arrived(index, bitmap) {
    if (!this.width || !this.height) {
      Object.assign(this.#source, { width: bitmap.width, height: bitmap.height });
      if (this.#fitted) this.fit();
    }
    if (index === this.cursor) this.#draw();
    this.#prefetch();
  }

  #failed(index, error) {
    if (index !== this.cursor) return;
    this.pause();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(false);
    this.#tell("error", { frame: index, message: String(error.message ?? error) });
  }

  /* Put the cursor's frame on the canvas, and only then say so. */
  #draw() {
    const bitmap = this.#ring.get(this.cursor);
    if (!bitmap) return;
    const fresh = this.frame !== this.cursor;
    this.frame = this.cursor;
    this.#paint(bitmap);
    if (!fresh) return;
    this.#counts.drawn += 1;
    this.#tell("frame", { frame: this.frame, timeS: this.rateFps ? this.frame / this.rateFps : 0 });
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(waiter.index === this.frame);
  }

  #paint(bitmap) {
    const context = this.#context;
    const { scale, x, y } = this.view;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#101214";
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(scale, 0, 0, scale, x, y);
    // Pixels that are larger than the screen's stay squares: a coder looks for what is there.
    context.imageSmoothingEnabled = scale < 1;
    context.filter = this.filter;
    if (this.painter) this.painter(context, bitmap, this);
    // A part of the frame may be served smaller than it is; it still covers its own pixels.
    else context.drawImage(bitmap, 0, 0, this.width, this.height);
    context.filter = "none";
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.overlay?.(context, this);
  }

  #setView(scale, x, y) {
    const { width, height } = this.#canvas;
    // Part of the picture stays in sight.
    const most = (side, shown) => Math.max(side - 16, side - shown * 0.5);
    const least = (shown) => Math.min(16 - shown, -shown * 0.5);
    this.view = {
      scale,
      x: Math.min(Math.max(x, least(this.width * scale)), most(width, this.width * scale)),
      y: Math.min(Math.max(y, least(this.height * scale)), most(height, this.height * scale)),
    };
    this.redraw();
    this.#tell("view", this.view);
  }

  #resize() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.#canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.#canvas.clientHeight * ratio));
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    if (this.#fitted) this.fit();
    const bitmap = this.frame >= 0 ? this.#ring?.get(this.frame) : null;
    if (bitmap) this.#paint(bitmap);
  }

  #schedule() {
    if (!this.#raf) this.#raf = requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    this.#raf = 0;
    if (this.#playing) this.#advance(now);
    if (this.#dirty) {
      this.#dirty = false;
      const bitmap = this.frame >= 0 ? this.#ring?.get(this.frame) : null;
      if (bitmap) this.#paint(bitmap);
    }
    if (this.#playing) this.#schedule();
  }

  /* True rate times speed, counted from where playing began: rounding does not add up. */
  #advance(now) {
    const play = this.#playing;
    if (!this.#ring.has(this.cursor)) {
      // Pictures come too slowly: the recording waits for them instead of leaving out what was not yet seen.
      this.#counts.late += 1;
      play.clock = null;
      return;
    }
    if (play.clock === null) {
      play.clock = now;
      play.origin = this.cursor;
      return;
    }
    const rate = this.rateFps || 30;
    const moved = Math.floor(((now - play.clock) / 1000) * rate * this.#speed) * this.#direction;
    let next = play.origin + moved;
    if ((next - play.end) * this.#direction >= 0) next = play.end;
    if (next !== this.cursor) {
      const stride = Math.max(1, Math.floor((rate * this.#speed) / 60));
      // Among the frames due by now, one that is at hand.
      let at = next;
      for (let k = 0; k < stride && !this.#ring.has(at) && at !== this.cursor; k += 1) at -= this.#direction;
      this.#show(this.#ring.has(at) && at !== this.cursor ? at : next);
    }
    if (this.cursor === play.end && this.frame === play.end) this.pause();
  }

  #restartClock() {
    this.#playing.clock = null;
  }
}
