// Round c: one of eight emotions, from the self-report, the action units and the stimulus.

import { h, fill } from "../dom.js";
import { isMicro, unitNumber } from "../marks.js";
import { keyFrameMarks } from "./keyframes.js";
import { noteField, setNote } from "./note.js";

export class EmotionPanel {
  constructor(work) {
    this.work = work;
    this.title = "Emotion";
    work.study.emotions.forEach((emotion, i) =>
      work.keys.add({ keys: [String(i + 1)], text: emotion, group: "Marks", run: () => this._choose(emotion) }),
    );
    work.keys.add({ keys: ["O", "A", "F"], text: "go to onset, apex, offset", group: "Marks", run: (event) => this._jump(event?.key) });
    this.element = h("div");
    this.note = noteField(work);
  }

  start(answer) {
    return { emotion: answer?.emotion ?? null, note: answer?.note ?? "" };
  }

  answer() {
    return { kind: "emotion", emotion: this.work.value.emotion, note: this.work.value.note };
  }

  problems() {
    return this.work.value.emotion ? [] : ["choose an emotion first, with 1 to 8"];
  }

  reference() {
    return this.work.item.key_frames?.onset ?? this.work.item.first_frame;
  }

  marks() {
    return keyFrameMarks(this.work.item.key_frames);
  }

  segment() {
    const marks = this.work.item.key_frames;
    return marks ? [marks.onset, marks.offset] : null;
  }

  draw() {
    const { item, study, value, timeline } = this.work;
    const titles = new Map(study.units.map((unit) => [unit.number, unit.title]));
    const reports = (timeline?.self_reports ?? []).map((report) => `${report.emotion ?? "?"}${report.intensity === null ? "" : `, intensity ${report.intensity}`} at frame ${report.frame}${report.text ? `: ${report.text}` : ""}`);
    const marks = item.key_frames;
    const stimuli = [...new Set([item.stimulus ? `${item.stimulus}${item.stimulus_emotion ? ` (${item.stimulus_emotion})` : ""}` : null, ...(timeline?.stimulus ?? []).map((span) => `${span.name}${span.emotion ? ` (${span.emotion})` : ""}`)].filter(Boolean))];
    fill(
      this.element,
      h(
        "dl",
        { class: "facts" },
        h("dt", {}, "Self-report"), h("dd", {}, reports.length ? reports.map((text) => h("span", { class: "line" }, text)) : "none for this clip"),
        h("dt", {}, "Action units"), h("dd", {}, item.units?.length ? item.units.map((unit) => h("span", { class: "line" }, `${unit} ${titles.get(unitNumber(unit)) ?? ""}`)) : "none"),
        h("dt", {}, "Stimulus"), h("dd", {}, stimuli.join(", ") || "unknown"),
        marks ? [h("dt", {}, "Key-frames"), h("dd", {}, `${marks.onset}, ${marks.apex}, ${marks.offset}: ${isMicro(marks, item.rate_fps) ? "micro" : "macro"}`)] : null,
      ),
      h(
        "div",
        { class: "emotions", role: "group", "aria-label": "Emotions" },
        study.emotions.map((emotion, i) => this.work.keys.button(String(i + 1), emotion, { "aria-pressed": String(value.emotion === emotion) })),
      ),
      this.note,
    );
    setNote(this.note, value.note);
  }

  _choose(emotion) {
    if (this.work.set({ ...this.work.value, emotion })) this.work.tell(emotion);
  }

  _jump(key) {
    const frame = this.work.item.key_frames?.[{ O: "onset", A: "apex", F: "offset" }[key]];
    if (frame !== undefined && frame !== null) this.work.seek(frame);
  }
}
