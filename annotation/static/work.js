// The work screen: picture, timeline, and the panel of the round, driven by keys.

import { get, post, Refused } from "./api.js";
import { describe } from "./aids.js";
import { announceSoon, fill, h, say } from "./dom.js";
import { KeyMap } from "./keys.js";
import { History, draftOn, same } from "./marks.js";
import { EmotionPanel } from "./panels/emotion.js";
import { KeyFramePanel } from "./panels/keyframes.js";
import { SelectionPanel } from "./panels/selection.js";
import { UnitPanel } from "./panels/units.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { addWorkKeys } from "./work_keys.js";
import { KINDS, nextToDo } from "./worklist.js";

const PANELS = { selection: SelectionPanel, keyframes: KeyFramePanel, units: UnitPanel, crosscheck: UnitPanel, emotion: EmotionPanel };
const CURVE_AGAIN_MS = 3000;

/**
 * One clip or recording at work.
 *
 * `task` says what is worked on: {base, item, timeline, list, title, panel, send(answer, frame), leave(), after()}.
 * Panels use `frame`, `value`, `set`, `seek`, `tell`, `warn`, `keys`, `item`, `timeline`, `study`.
 */
export class Work {
  constructor(app, task) {
    this.app = app;
    this.task = task;
    this.item = task.item;
    this.study = app.study;
    this.timeline = task.timeline;
    this.keys = new KeyMap();
    this.saved = task.item.answer ?? null;
    this._ended = false;
    this._saving = Promise.resolve();
    this._queued = null;
    this._sent = null;
    this.history = null;
    this.stage = new Stage(this.item, task.base, {
      onframe: (frame) => this._shown(frame),
      onchange: () => this._drawStatus(),
    });
    this.panel = new (task.panel ?? PANELS[this.item.kind])(this);
    this.history = new History(this.panel.start(this.saved?.answer ?? null));
    /** The answer before anything is marked: it is not saved by itself. */
    this._blank = this.saved ? null : this.panel.answer();
    this.history = new History(this._draft() ?? this.value);
    addWorkKeys(this);
    this._build();
    this.curve = new Timeline(
      this.timelineCanvas,
      { first: this.item.shown_first, last: this.item.shown_last },
      this.item.rate_fps,
      (frame) => this.seek(frame),
    );
    this._layers();
    this.stage.attach();
    this.seek(this.panel.marks()[0]?.frame ?? this.item.first_frame);
    this._draw();
    this.focus();
    if (this.panel.savesItself && this.item.open) this._saveSoon();
  }

  get frame() {
    return this.stage.frame;
  }

  get value() {
    return this.history.value;
  }

  /** Take a new value from the panel; false where it may not be changed. Undo goes back over it. */
  set(value) {
    if (!this.item.open && !this.task.always) {
      this.warn("the round is closed: nothing can be changed any more");
      return false;
    }
    if (this.history.set(value)) this._changed();
    return true;
  }

  /** Take `fields` over into the value, past undo: what is written, letter by letter. */
  amend(fields) {
    if (!this.item.open && !this.task.always) {
      this.warn("the round is closed: nothing can be changed any more");
      return;
    }
    this.history.amend(fields);
    this._keepDraft();
  }

  /** Call `mark` with the frame that is on the screen, once there is one. */
  atFrame(mark) {
    if (this.frame === null) this.warn("wait for the picture: what is marked is the frame on the screen");
    else mark(this.frame);
  }

  /** Show a frame. */
  seek(frame) {
    this.stage.seek(frame);
  }

  /** Say what happened. */
  tell(text) {
    say(text);
  }

  /** Say what cannot be done. */
  warn(text) {
    say(text, "warning");
  }

  /** Give the keyboard to the picture. */
  focus() {
    this.stage.canvas.focus({ preventScroll: true });
  }

  close() {
    this._ended = true;
    this.keys.close();
    this.stage.close();
    this.curve.close();
    document.getElementById("place")?.replaceChildren();
  }

  // --- keys -------------------------------------------------------------------------------------------------------

  jump(direction) {
    const stops = this.curve.stops();
    const found = direction > 0 ? stops.find((frame) => frame > this.frame) : stops.reverse().find((frame) => frame < this.frame);
    if (found === undefined) this.warn(direction > 0 ? "nothing is marked behind this frame" : "nothing is marked before this frame");
    else this.seek(found);
  }

  playSegment() {
    const segment = this.panel.segment() ?? [this.item.first_frame, this.item.last_frame];
    this.stage.loop(...segment);
  }

  mode(mode) {
    this.stage.mode(mode, this.panel.reference());
  }

  undo() {
    if (!this.history.undo()) {
      this.warn("nothing to undo");
      return;
    }
    this._changed();
    this.tell("undone");
  }

  redo() {
    if (!this.history.redo()) {
      this.warn("nothing to redo");
      return;
    }
    this._changed();
    this.tell("done again");
  }

  escape() {
    if (document.activeElement?.matches("input, textarea")) {
      this.focus();
      return;
    }
    this.task.leave();
  }

  neighbour(step) {
    const items = (this.task.list?.items ?? []).filter((each) => each.round === this.item.round).sort((a, b) => a.position - b.position);
    const at = items.findIndex((each) => each.item === this.item.item);
    const next = items[at + step];
    if (next) this.app.go(`item/${next.item}`);
    else this.warn(step > 0 ? "this is the last one" : "this is the first one");
  }

  // --- saving -----------------------------------------------------------------------------------------------------

  _draftName() {
    return `draft ${this.app.me.name} ${this.task.base}`;
  }

  _draft() {
    try {
      return draftOn(JSON.parse(sessionStorage.getItem(this._draftName())), this.saved);
    } catch {
      return null;
    }
  }

  _keepDraft() {
    if (same(this.panel.answer(), this.saved?.answer ?? this._blank)) sessionStorage.removeItem(this._draftName());
    else sessionStorage.setItem(this._draftName(), JSON.stringify({ version: this.saved?.version ?? 0, sent: this._sent, value: this.value }));
  }

  _changed() {
    this._keepDraft();
    this.stage.reference(this.panel.reference());
    this._draw();
    if (this.panel.savesItself) this._saveSoon();
  }

  /** Save each change, one after the other in the order in which they were made. */
  _saveSoon() {
    const answer = this.panel.answer();
    if (same(answer, this._queued ?? this.saved?.answer ?? this._blank)) return;
    this._queued = answer;
    this._saving = this._saving.then(async () => {
      // After a refusal the next change tries again, with all that has been marked.
      if (!(await this._send(answer))) this._queued = null;
    });
  }

  async _send(answer) {
    this._sent = answer;
    this._keepDraft();
    try {
      const stored = await this.task.send(answer, this.frame, (this.saved?.version ?? 0) + 1);
      this._sent = null;
      if (stored) this.saved = stored;
      if (stored) this._keepDraft();
      else sessionStorage.removeItem(this._draftName());
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this._sent = null;
      say(error.status === 409 ? `${error.message}: load the page anew to see what is saved` : error.message, "bad");
      return false;
    }
  }

  async finish() {
    if (!this.item.open && !this.task.always) {
      this.neighbour(1);
      return;
    }
    const problems = this.panel.problems();
    if (problems.length) {
      this.warn(problems.join("; "));
      return;
    }
    if (this.panel.savesItself) {
      this._saveSoon();
      await this._saving;
      if (!same(this.panel.answer(), this.saved?.answer ?? this._blank)) return;
    } else {
      if (this._busy) return;
      this._busy = true;
      const good = await this._send(this.panel.answer());
      this._busy = false;
      if (!good) return;
    }
    await this.task.after();
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  _build() {
    const { item, keys } = this;
    this.timelineCanvas = h("canvas", { class: "timeline", role: "img", "aria-label": "Timeline: motion, self-reports, stimulus, spotted candidates and marks" });
    this.numberField = h("input", {
      class: "number", inputmode: "numeric", "aria-label": `Frame, ${item.shown_first} to ${item.shown_last}`,
      onkeydown: (event) => this._numberKey(event),
      onblur: () => this._shown(this.frame),
    });
    this.time = h("span", { class: "time" });
    this.status = h("span", { class: "quiet status" });
    this.saveButton = keys.button("Enter", this.panel.savesItself ? "Next" : "Save", { class: "primary" });
    fill(
      this.app.main,
      h(
        "div",
        { class: "work" },
        h("section", { class: "picture", "aria-label": "Picture" }, this.stage.element),
        h(
          "div",
          { class: "controls", role: "toolbar", "aria-label": "Picture" },
          h("label", { class: "frame" }, "Frame ", this.numberField), this.time,
          keys.button("ArrowLeft", "", { "aria-label": "frame before" }), keys.button(" ", "Play"), keys.button("ArrowRight", "", { "aria-label": "next frame" }),
          keys.button("[", "Slower"), keys.button("]", "Faster"), keys.button("c", "Face", { id: "crop", disabled: !item.face }),
          keys.button("d", "Difference"), keys.button("m", "Magnify"), keys.button("x", "Reset"),
        ),
        h("section", { class: "timeline-box", "aria-label": "Timeline" }, this.timelineCanvas),
        h(
          "aside",
          { class: "panel", "aria-label": this.panel.title },
          h("h1", {}, this.panel.title, h("span", { class: "quiet" }, ` ${item.label ?? ""}`)),
          this.task.extra ?? null,
          this.panel.element,
          h("div", { class: "bottom" }, keys.button("z", "Undo"), keys.button("Escape", "List"), keys.button("?", "Keys"), h("span", { class: "grow" }), this.saveButton),
        ),
      ),
    );
    this.app.main.querySelector(".picture").append(this.status);
    const place = document.getElementById("place");
    if (place) {
      const same = (this.task.list?.items ?? []).filter((each) => each.round === item.round);
      const done = same.filter((each) => each.done).length;
      fill(place, this.task.title ?? `${KINDS[item.kind]}, ${item.position} of ${same.length}`, same.length ? h("span", { class: "quiet" }, ` · ${done} done`) : null);
    }
  }

  _numberKey(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.focus();
      return;
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    const frame = Number(this.numberField.value);
    const { shown_first: first, shown_last: last } = this.item;
    this.focus();
    if (Number.isInteger(frame) && frame >= first && frame <= last) this.seek(frame);
    else this.warn(`there are frames ${first} to ${last} here`);
  }

  _shown(frame) {
    const { item } = this;
    if (document.activeElement !== this.numberField) this.numberField.value = String(frame);
    const ms = ((frame - item.first_frame) * 1000) / item.rate_fps;
    this.time.textContent = `${ms.toFixed(0)} ms`;
    this.curve?.seek(frame);
    announceSoon(`frame ${frame}`);
  }

  _draw() {
    this.panel.draw();
    const clip = { first: this.item.first_frame, last: this.item.last_frame, color: "--clip" };
    const whole = clip.first === this.item.shown_first && clip.last === this.item.shown_last;
    this.curve.spans = [...(whole ? [] : [clip]), ...(this.panel.spans?.() ?? [])];
    this.curve.marks = [...(this.task.marks ?? []), ...this.panel.marks()];
    this.curve.redraw();
    this._drawStatus();
  }

  _drawStatus() {
    const aids = describe(this.stage.aids, this.stage.referenceFrame);
    this.status.textContent = [this.stage.speedText(), this.stage.zoomText(), aids].filter(Boolean).join(" · ");
  }

  _layers() {
    const { timeline } = this;
    if (!timeline) return;
    const motion = timeline.motion;
    const text = motion.state === "computing" ? `being measured, ${Math.round(100 * motion.progress)} %` : motion.reason || "none";
    this.curve.layers = {
      motion: { frames: motion.frames, values: motion.motion_px, text },
      stimulus: (timeline.stimulus ?? []).map((span) => ({ first: span.first_frame, last: span.last_frame, label: [span.name, span.emotion].filter(Boolean).join(": ") })),
      reports: (timeline.self_reports ?? []).map((report) => ({ frame: report.frame, label: [report.emotion, report.intensity].filter((each) => each !== null).join(" ") })),
      spotted: (timeline.candidates ?? []).map((each) => ({ ...each, label: each.emotion ?? "" })),
    };
    this.curve.redraw();
    if (motion.state === "computing") window.setTimeout(() => this._again(), CURVE_AGAIN_MS);
  }

  async _again() {
    if (this._ended) return;
    this.timeline = await get(`${this.task.base}/timeline`);
    if (this._ended) return;
    this._layers();
    // The face is found while movement is measured.
    if (this.item.face === null && this.timeline.motion.state === "ready") {
      const { face } = await get(this.task.base);
      if (this._ended || face === null) return;
      this.stage.item = this.item = { ...this.item, face };
      document.getElementById("crop").disabled = false;
    }
  }
}

/** Show an item of the own work list. */
export async function openItem(app, number) {
  const base = `items/${Number(number)}`;
  const [item, timeline, list] = await Promise.all([get(base), get(`${base}/timeline`), get("work")]);
  const work = new Work(app, {
    base,
    item,
    timeline,
    list,
    send: (answer, frame, version) => post(`${base}/answer`, { answer, frame_shown: frame, version }),
    leave: () => app.go("work"),
    after: async () => {
      const newer = await get("work");
      const next = nextToDo(newer.items, item);
      if (next && next.item !== item.item) app.go(`item/${next.item}`, "saved");
      else app.go("work", next ? "saved" : "saved: all is done");
    },
  });
  return () => work.close();
}
