// Round a: onset, apex, offset, or "no expression".

import { counted, h, fill, unseen } from "../dom.js";
import { KEY_FRAMES, isMicro, keyFrameProblems, noKeyFrames, withKeyFrame, withoutExpression } from "../marks.js";
import { noteField, setNote } from "./note.js";

const KEYS = { onset: "o", apex: "a", offset: "f" };
const COLORS = { onset: "--onset", apex: "--apex", offset: "--offset" };

/** Marks of the timeline for key-frames; `dashed`, and numbered from `row` + 1, for those of coders beside each other. */
export function keyFrameMarks(marks, dashed = false, row = undefined) {
  return KEY_FRAMES.filter((name) => marks?.[name] !== null && marks?.[name] !== undefined).map((name) => ({
    frame: marks[name], label: row === undefined ? { onset: "O", apex: "A", offset: "F" }[name] : String(row + 1), color: COLORS[name], dashed, row,
  }));
}

export class KeyFramePanel {
  constructor(work) {
    this.work = work;
    this.title = "Key-frames";
    const mark = (name) => () =>
      work.atFrame((frame) => work.set(withKeyFrame(work.value, name, frame)) && work.tell(`${name} at frame ${frame}`));
    for (const name of KEY_FRAMES) {
      work.keys.add({ keys: [KEYS[name]], text: `mark the ${name} at this frame`, group: "Marks", run: mark(name) });
      work.keys.add({ keys: [KEYS[name].toUpperCase()], text: `go to the ${name}`, group: "Marks", run: () => work.value[name] !== null && work.seek(work.value[name]) });
    }
    work.keys.add(
      { keys: ["n"], text: "no expression in this clip", group: "Marks", run: () => this._none() },
      { keys: ["s"], text: "more than one expression: the lead cuts it anew", group: "Marks", run: () => this._several() },
    );
    this.element = h("div");
    this.note = noteField(work);
  }

  /** What is shown before anything is marked, or what was saved. */
  start(answer) {
    if (!answer) return noKeyFrames();
    const { expression, onset, apex, offset, several, note } = answer;
    return { none: !expression, onset, apex, offset, several, note };
  }

  answer() {
    const { none, onset, apex, offset, several, note } = this.work.value;
    return { kind: "keyframes", expression: !none, onset, apex, offset, several, note };
  }

  problems() {
    return keyFrameProblems(this.work.value);
  }

  /** The frame that aids compare with: the onset, or the first frame of the clip. */
  reference() {
    return this.work.value.onset ?? this.work.item.first_frame;
  }

  marks() {
    return keyFrameMarks(this.work.value);
  }

  segment() {
    const { onset, offset } = this.work.value;
    return onset !== null && offset !== null && onset <= offset ? [onset, offset] : null;
  }

  draw() {
    const { value, item } = this.work;
    const wrong = KEY_FRAMES.every((name) => value[name] === null) ? [] : this.problems().filter((text) => text.includes("before"));
    const micro = isMicro(value, item.rate_fps);
    const lasts = micro === null ? null : ((value.offset - value.onset + 1) * 1000) / item.rate_fps;
    fill(
      this.element,
      h(
        "div",
        { class: "marks", role: "group", "aria-label": "Key-frames" },
        KEY_FRAMES.map((name) => [
          this.work.keys.button(KEYS[name], name, { class: `mark-${name}` }),
          h("output", { class: value[name] === null ? "quiet" : "" }, value[name] === null ? "not marked" : `frame ${value[name]}`),
          this.work.keys.button(KEYS[name].toUpperCase(), ["go to", unseen(` the ${name}`)], { disabled: value[name] === null }),
        ]),
      ),
      this.work.keys.button("n", "No expression", { "aria-pressed": String(value.none), class: "wide" }),
      this.work.keys.button("s", "More than one expression", { "aria-pressed": String(value.several), class: "wide" }),
      wrong.length ? h("p", { class: "bad", role: "alert" }, wrong.map((text) => h("span", { class: "line" }, `⚠ ${text}`))) : null,
      micro !== null ? h("p", {}, `${counted(value.offset - value.onset + 1, "frame")}, ${lasts.toFixed(0)} ms: `, h("strong", {}, micro ? "micro-expression" : "macro-expression")) : null,
      this.note,
    );
    setNote(this.note, value.note);
  }

  _none() {
    if (this.work.set(withoutExpression(this.work.value))) this.work.tell(this.work.value.none ? "no expression" : "no expression taken back");
  }

  _several() {
    const several = !this.work.value.several;
    if (this.work.set({ ...this.work.value, several })) this.work.tell(this.work.value.several ? "more than one expression" : "one expression");
  }
}
