/* Moving through the recording: place, steps, playing, speed, and the button that marks a moment. */

import { element, filled } from "./dom.js";

const SPEEDS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];

export class Transport {
  #viewer;
  #words;
  #speed = SPEEDS.indexOf(1 / 8);
  #mark;
  #range;
  #where;
  #play;
  #speedLabel;
  #ticks;

  constructor(place, viewer, words, { rate, onmark }) {
    this.#viewer = viewer;
    this.#words = words;
    const button = (text, label, act, className = "") =>
      element("button", { class: className, "aria-label": label, title: label, text, onclick: act });
    this.#range = element("input", {
      type: "range",
      min: "0",
      max: String(Math.max(0, viewer.count - 1)),
      step: "1",
      value: "0",
      "aria-label": words.position,
      oninput: () => viewer.seek(Number(this.#range.value)),
    });
    this.#ticks = element("div", { class: "ticks" });
    this.#where = element("span", { class: "numbers where" });
    this.#play = button("▶", words.play, () => viewer.toggle({ speed: SPEEDS[this.#speed] }), "play");
    this.#speedLabel = element("span", { class: "speed", role: "status" });
    this.#mark = element("button", { class: "primary large mark", onclick: onmark }, words.mark, " ", element("kbd", { text: "M" }));
    place.append(
      // Time runs from left to right in every language, as the arrow keys do.
      element("div", { class: "track", dir: "ltr" }, this.#ticks, this.#range),
      element(
        "div",
        { class: "buttons" },
        element(
          "div",
          { class: "set", dir: "ltr" },
          button("−100", "−100", () => viewer.step(-100), "hundred"),
          button("−10", "−10", () => viewer.step(-10)),
          button("−1", "−1", () => viewer.step(-1)),
          this.#play,
          button("+1", "+1", () => viewer.step(1)),
          button("+10", "+10", () => viewer.step(10)),
          button("+100", "+100", () => viewer.step(100), "hundred"),
        ),
        element(
          "div",
          { class: "set", dir: "ltr" },
          button("−", `${words.speed} −`, () => this.faster(-1)),
          this.#speedLabel,
          button("+", `${words.speed} +`, () => this.faster(1)),
        ),
        this.#where,
        this.#mark,
      ),
    );
    viewer.addEventListener("frame", ({ detail: { frame } }) => {
      // While a finger moves it, the handle is the finger's.
      if (viewer.cursor === frame) this.#range.value = String(frame);
      this.#where.textContent = filled(words.time_s, { s: (frame / rate).toFixed(3) });
      this.#range.setAttribute("aria-valuetext", this.#where.textContent);
    });
    viewer.addEventListener("play", ({ detail: { playing } }) => {
      this.#play.textContent = playing ? "❚❚" : "▶";
      const label = playing ? words.pause : words.play;
      this.#play.setAttribute("aria-label", label);
      this.#play.title = label;
    });
    viewer.speed = SPEEDS[this.#speed];
    this.#tellSpeed();
  }

  faster(by) {
    this.#speed = Math.min(SPEEDS.length - 1, Math.max(0, this.#speed + by));
    this.#viewer.speed = SPEEDS[this.#speed];
    this.#tellSpeed();
  }

  /* Where the marks lie on the track. */
  ticks(marks, visit) {
    const last = Math.max(1, this.#viewer.count - 1);
    this.#ticks.replaceChildren(
      ...marks.map((mark) => {
        const name = this.#words[mark.emotion] ?? mark.emotion;
        const tick = element("button", { class: "tick", "aria-label": name, title: name, tabindex: "-1", onclick: () => visit(mark) });
        tick.style.left = `${(100 * mark.frame) / last}%`;
        return tick;
      }),
    );
  }

  focus() {
    this.#mark.focus();
  }

  #tellSpeed() {
    const slower = Math.round(1 / SPEEDS[this.#speed]);
    this.#speedLabel.textContent = slower === 1 ? this.#words.real_time : filled(this.#words.times_slower, { n: slower });
  }
}
