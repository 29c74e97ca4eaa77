// The picture of the work screen: the shared frame viewer with the frames that a coder may see, and the aids to the eye.

import { FrameViewer } from "/shared/frame_viewer.js";
import { frameUrl } from "./api.js";
import { AMOUNTS, applyAids, isPlain, plain, referenceOf, smoothGrey } from "./aids.js";
import { h, say } from "./dom.js";

const LARGEST_PX = 640;
/** Aids work on at most so many columns: a frame is then through in a fraction of a screen refresh. */
const SPEEDS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];
const LOOP_PAUSE_MS = 400;

export class Stage {
  /** `item` says which frames there are; `onframe(frame)` is called when one is drawn, `onchange()` when the view changed. */
  constructor(item, base, { onframe, onchange }) {
    this.item = item;
    this.base = base;
    this.aids = plain();
    this.referenceFrame = item.first_frame;
    this.cropped = item.face !== null;
    this.canvas = h("canvas", { class: "frames", tabindex: 0, role: "img", "aria-label": "Picture of the frame; press ? for the keys" });
    this.waiting = h("span", { class: "waiting", hidden: true }, "loading");
    this.element = h("div", { class: "stage" }, this.canvas, this.waiting);
    this._onchange = onchange;
    this._onframe = onframe;
    this._speed = 2;
    this._loop = null;
    this._again = 0;
    this._reference = null;
    this._asked = "";
    this._work = document.createElement("canvas");
    this._pixels = this._work.getContext("2d", { willReadFrequently: true });
  }

  /** Begin to show frames; the element must be in the page, so that it has a size. */
  attach() {
    this.viewer = new FrameViewer(this.canvas);
    this.viewer.painter = (context, bitmap) => this._paint(context, bitmap);
    this.viewer.addEventListener("frame", () => {
      this.waiting.hidden = true;
      this._onframe(this.frame);
    });
    this.viewer.addEventListener("wait", () => (this.waiting.hidden = false));
    this.viewer.addEventListener("error", ({ detail }) => say(`frame ${detail.frame + this.item.shown_first} cannot be shown: ${detail.message}`, "bad"));
    this.viewer.addEventListener("play", ({ detail }) => this._played(detail.playing));
    this.viewer.addEventListener("view", () => this._onchange());
    this._source();
  }

  /** The frame that is on the canvas: what a mark means. Null before the first one. */
  get frame() {
    return this.viewer.frame < 0 ? null : this.viewer.frame + this.item.shown_first;
  }

  seek(frame) {
    this._endLoop();
    return this.viewer.seek(frame - this.item.shown_first);
  }

  step(count) {
    this._endLoop();
    const { cursor } = this.viewer;
    const last = this.item.shown_last - this.item.shown_first;
    if ((count > 0 && cursor === last) || (count < 0 && cursor === 0)) say(count > 0 ? "this is the last frame" : "this is the first frame", "warning");
    return this.viewer.step(count);
  }

  toggle() {
    this._endLoop();
    this.viewer.toggle({ speed: SPEEDS[this._speed] });
  }

  /** Play from `first` to `last`, again and again until something else is done; called while it runs, it stops. */
  loop(first, last) {
    const running = this._loop !== null;
    this._endLoop();
    this.viewer.pause();
    if (running) return;
    this._loop = [first - this.item.shown_first, last - this.item.shown_first];
    this._playLoop();
  }

  slower() {
    this._setSpeed(this._speed - 1);
  }

  faster() {
    this._setSpeed(this._speed + 1);
  }

  speedText() {
    const speed = SPEEDS[this._speed];
    return `${speed === 1 ? "true speed" : `1/${1 / speed} speed`}${this.viewer?.playing ? ", playing" : ""}`;
  }

  zoomText() {
    if (!this.viewer || this.viewer.fitted) return "";
    return `zoom ${this.viewer.view.scale.toFixed(1)}`;
  }

  zoom(factor) {
    this.viewer.zoomBy(factor);
  }

  panKey(key) {
    const step = 48;
    const [x, y] = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[key];
    this.viewer.panBy(x, y);
  }

  /** The face alone or the whole picture; the frame stays. */
  toggleCrop() {
    if (!this.item.face) {
      say("no face was found in this recording", "warning");
      return;
    }
    this.cropped = !this.cropped;
    this._source();
    this._loadReference();
    this._onchange();
  }

  contrast(factor) {
    const contrast = Math.min(6, Math.max(0.25, this.aids.contrast * factor));
    this._setAids({ contrast: Math.abs(contrast - 1) < 0.01 ? 1 : contrast });
  }

  brightness(step) {
    this._setAids({ brightness: Math.min(120, Math.max(-120, this.aids.brightness + step)) });
  }

  /** Switch `mode` on, or back to the plain picture. */
  mode(mode, reference) {
    this._setAids({ mode: this.aids.mode === mode ? "plain" : mode });
    this.reference(reference);
    this._loadReference();
  }

  amount(step) {
    const at = Math.min(AMOUNTS.length - 1, Math.max(0, AMOUNTS.indexOf(this.aids.amount) + step));
    this._setAids({ amount: AMOUNTS[at] });
  }

  /** The picture as it was recorded, whole. */
  reset() {
    this._setAids(plain());
    this.viewer.fit();
  }

  /** Compare with `frame` from now on. */
  reference(frame) {
    if (frame === this.referenceFrame) return;
    this.referenceFrame = frame;
    this._loadReference();
    this._onchange();
  }

  close() {
    this._endLoop();
    this.viewer?.close();
  }

  _source() {
    const { item, base } = this;
    const crop = this.cropped ? "face" : "full";
    const [width, height] = this.cropped ? item.face.slice(2) : [item.width_px, item.height_px];
    this._reference = null;
    this.viewer.setSource({
      url: (index) => frameUrl(base, index + item.shown_first, crop),
      count: item.shown_last - item.shown_first + 1,
      rateFps: item.rate_fps,
      width,
      height,
    });
  }

  _setSpeed(at) {
    this._speed = Math.min(SPEEDS.length - 1, Math.max(0, at));
    this.viewer.speed = SPEEDS[this._speed];
    this._onchange();
    say(this.speedText());
  }

  _setAids(change) {
    this.aids = { ...this.aids, ...change };
    this.viewer.redraw();
    this._onchange();
  }

  _played(playing) {
    this._onchange();
    if (playing || !this._loop) return;
    this._again = window.setTimeout(() => this._playLoop(), LOOP_PAUSE_MS);
  }

  _playLoop() {
    if (!this._loop) return;
    const [from, to] = this._loop;
    this.viewer.play({ speed: SPEEDS[this._speed], from, to });
  }

  _endLoop() {
    this._loop = null;
    window.clearTimeout(this._again);
  }

  async _loadReference() {
    if (this.aids.mode === "plain") return;
    const asked = `${this.referenceFrame} ${this.cropped}`;
    if (this._reference?.name === asked || this._asked === asked) return;
    this._asked = asked;
    try {
      const bitmap = await this.viewer.bitmap(this.referenceFrame - this.item.shown_first);
      const image = this._read(bitmap);
      bitmap.close();
      if (asked === `${this.referenceFrame} ${this.cropped}`) {
        const { width, height } = image;
        this._reference = { name: asked, picture: referenceOf(smoothGrey(image.data, width, height), width, height) };
        this.viewer.redraw();
      }
    } catch (error) {
      say(`frame ${this.referenceFrame} to compare with cannot be had: ${error.message}`, "bad");
    } finally {
      this._asked = "";
    }
  }

  _read(bitmap) {
    const scale = Math.min(1, LARGEST_PX / bitmap.width);
    const width = Math.round(bitmap.width * scale);
    const height = Math.round(bitmap.height * scale);
    if (this._work.width !== width || this._work.height !== height) Object.assign(this._work, { width, height });
    this._pixels.drawImage(bitmap, 0, 0, width, height);
    return this._pixels.getImageData(0, 0, width, height);
  }

  _paint(context, bitmap) {
    const { width, height } = this.viewer;
    if (isPlain(this.aids)) {
      context.drawImage(bitmap, 0, 0, width, height);
      return;
    }
    const image = this._read(bitmap);
    applyAids(image.data, image.width, image.height, this.aids, this._reference?.picture ?? null);
    this._pixels.putImageData(image, 0, 0);
    context.drawImage(this._work, 0, 0, width, height);
  }
}
