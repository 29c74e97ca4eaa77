// Round b: which action units occur and on which side; and the cross-check where two coders differ.

import { h, fill, kbd, unseen } from "../dom.js";
import { toggleUnit, unitName, unitNumber, unitSide } from "../marks.js";
import { keyFrameMarks } from "./keyframes.js";
import { noteField, setNote } from "./note.js";

const SIDES = { L: "left", R: "right", B: "both sides" };

/** What one coder marked and the other did not: [{unit, coders}]. */
export function differences(coderUnits) {
  const [first, second] = coderUnits;
  if (!second) return [];
  const only = (a, b) => a.units.filter((unit) => !b.units.includes(unit)).map((unit) => ({ unit, coder: a.coder }));
  return [...only(first, second), ...only(second, first)].sort((a, b) => unitNumber(a.unit) - unitNumber(b.unit));
}

export class UnitPanel {
  constructor(work) {
    this.work = work;
    this.kind = work.item.kind;
    this.title = this.kind === "crosscheck" ? "Cross-check of action units" : "Action units";
    this.typed = "";
    work.keys
      .digits((digit) => this._type(digit))
      .add(
        { keys: ["b"], text: "type a number, then b: the unit on both sides", group: "Marks", run: () => this._commit("B") },
        { keys: ["l"], text: "type a number, then l: on the participant's left", group: "Marks", run: () => this._commit("L") },
        { keys: ["r"], text: "type a number, then r: on the participant's right", group: "Marks", run: () => this._commit("R") },
        { keys: ["Backspace"], text: "take the last typed digit back", group: "Marks", run: () => this._show(this.typed.slice(0, -1)) },
        { keys: ["O", "A", "F"], text: "go to onset, apex, offset", group: "Marks", run: (event) => this._jump(event?.key) },
      );
    this.element = h("div", { class: "units" });
    this.note = noteField(work);
    this.entry = h("output", { class: "entry", "aria-live": "polite" });
    this.summary = h("p");
    this.buttons = new Map();
    this.grid = this._grid();
    fill(
      this.element,
      h("p", { class: "typing" }, "Number, then ", kbd("b"), " both, ", kbd("l"), " left, ", kbd("r"), " right ", this.entry),
      this.grid,
      h("p", { class: "quiet small" }, "Left and right are the participant's: their left is at the right of the picture."),
      this.summary,
      this.kind === "crosscheck" ? this._comparison() : null,
      this.note,
    );
  }

  start(answer) {
    if (answer) return { units: answer.units, note: answer.note };
    const own = (this.work.item.coder_units ?? []).find((each) => each.coder === this.work.app.me.name);
    return { units: own?.units ?? this.work.item.units ?? [], note: "" };
  }

  answer() {
    return { kind: this.kind, units: this.work.value.units, note: this.work.value.note };
  }

  problems() {
    return this.typed ? [`the number ${this.typed} waits for a side: b, l or r`] : [];
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
    const { units, note } = this.work.value;
    const sides = new Map(units.map((name) => [unitNumber(name), unitSide(name)]));
    for (const [key, button] of this.buttons) {
      const [number, side] = key.split(" ");
      button.setAttribute("aria-pressed", String(sides.get(Number(number)) === side));
    }
    fill(this.summary, h("strong", {}, units.length ? units.join(" + ") : "no unit"));
    setNote(this.note, note);
  }

  _grid() {
    const cells = this.work.study.units.map((unit) => {
      const button = (side, label) => {
        const made = h("button", {
          type: "button",
          tabindex: -1,
          title: `${unit.code} ${unit.title}`,
          onmousedown: (event) => event.preventDefault(),
          onclick: () => this._toggle(unit.number, side),
          class: side === "B" ? "unit" : "side",
        }, label, unseen(`, ${side === "B" ? "" : `${unit.code} ${unit.title}, `}${SIDES[side]}`));
        this.buttons.set(`${unit.number} ${side}`, made);
        return made;
      };
      const differs = (this.work.item.coder_units ?? []).length > 1 && differences(this.work.item.coder_units).some((each) => unitNumber(each.unit) === unit.number);
      return h(
        "div",
        { class: differs ? "cell differs" : "cell" },
        button("B", [unit.code.startsWith("AU") ? unseen("AU") : null, h("b", {}, unit.code.replace("AU", "")), ` ${unit.title}`]),
        unit.one_sided ? [button("L", "L"), button("R", "R")] : null,
      );
    });
    const grid = h("div", { class: "unit-grid", role: "group", "aria-label": "Action units; arrow keys move between them", "data-arrows": true, onkeydown: (event) => this._move(event) }, cells);
    grid.querySelector("button").tabIndex = 0;
    return grid;
  }

  /** One tab stop for the whole grid; arrows move within it. */
  _move(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    const all = [...this.grid.querySelectorAll(vertical ? "button.unit" : "button")];
    const here = vertical ? document.activeElement.parentElement.querySelector("button.unit") : document.activeElement;
    const next = all[all.indexOf(here) + steps[event.key]];
    if (!next) return;
    this.grid.querySelectorAll("button").forEach((button) => (button.tabIndex = -1));
    next.tabIndex = 0;
    next.focus();
  }

  _comparison() {
    const found = differences(this.work.item.coder_units ?? []);
    return h(
      "section",
      { class: "comparison", "aria-label": "Both codings" },
      (this.work.item.coder_units ?? []).map((each) => h("p", {}, h("b", {}, each.coder === this.work.app.me.name ? `${each.coder} (you)` : each.coder), `: ${each.units.join(" + ") || "no unit"}`, each.note ? h("span", { class: "quiet" }, ` “${each.note}”`) : null)),
      found.length ? h("ul", {}, found.map(({ unit, coder }) => h("li", {}, `${unit}: only ${coder}`))) : h("p", {}, "Both coders agree."),
    );
  }

  _toggle(number, side) {
    if (!this.work.set({ ...this.work.value, units: toggleUnit(this.work.value.units, number, side) })) return;
    const name = unitName(number, side);
    this.work.tell(`${name} ${this.work.value.units.includes(name) ? "marked" : "changed"}: ${this.work.value.units.join(", ") || "no unit"}`);
  }

  _type(digit) {
    this._show((this.typed + digit).slice(-2));
  }

  _show(text) {
    this.typed = text;
    const unit = this.work.study.units.find((each) => each.number === Number(text));
    this.entry.textContent = text ? `${text} ${unit ? unit.title : "…"}` : "";
  }

  _commit(side) {
    const unit = this.work.study.units.find((each) => each.number === Number(this.typed));
    const typed = this.typed;
    this._show("");
    if (!typed) this.work.warn("type the number of the unit first");
    else if (!unit) this.work.warn(`no unit has the number ${typed}`);
    else if (side !== "B" && !unit.one_sided) this.work.warn(`${unit.code} ${unit.title} has no sides`);
    else this._toggle(unit.number, side);
  }

  _jump(key) {
    const name = { O: "onset", A: "apex", F: "offset" }[key];
    const frame = this.work.item.key_frames?.[name];
    if (frame !== undefined && frame !== null) this.work.seek(frame);
  }
}
