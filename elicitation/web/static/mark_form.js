/* One mark being made or changed: which emotion, how strong, and at which moment. */

import { choices } from "./choices.js";
import { element, filled } from "./dom.js";

export class MarkForm {
  #words;
  #options;
  #frame;
  #emotions;
  #strengths;
  #when = element("span", { class: "numbers" });
  #save;
  #move = null;

  /* options: { mark, frame, time, seen, onsave, onremove, oncancel } */
  constructor(emotions, words, options) {
    this.#words = words;
    this.#options = options;
    this.#frame = options.frame;
    const { mark } = options;
    const onchoose = () => this.#refresh();
    this.#emotions = choices({
      label: words.which_emotion,
      options: emotions.map((emotion) => ({ value: emotion, text: words[emotion] ?? emotion })),
      chosen: mark?.emotion ?? null,
      onchoose,
      className: "emotions",
    });
    this.#strengths = choices({
      label: words.how_strong,
      options: [1, 2, 3, 4, 5].map((value) => ({ value, text: String(value) })),
      chosen: mark?.intensity ?? null,
      onchoose,
      className: "strengths",
    });
    this.#save = element("button", { class: "primary large save", text: words.save, onclick: () => this.#keep() });
    if (mark) {
      this.#move = element("button", {
        class: "move",
        text: words.move_here,
        onclick: () => {
          this.#frame = options.seen();
          this.#refresh();
        },
      });
    }
    this.node = element(
      "section",
      { class: "panel form", role: "dialog", "aria-label": words.mark },
      element("h2", {}, this.#when),
      element("p", { class: "asked", text: words.which_emotion }),
      this.#emotions.node,
      element("p", { class: "asked", text: words.how_strong }),
      this.#strengths.node,
      element(
        "p",
        { class: "poles quiet", "aria-hidden": "true" },
        element("span", { text: words.intensity_least }),
        element("span", { text: words.intensity_most }),
      ),
      this.#move,
      element(
        "div",
        { class: "buttons" },
        mark ? element("button", { class: "remove", text: words.remove, onclick: options.onremove }) : null,
        element("button", { class: "large cancel", text: words.cancel, onclick: options.oncancel }),
        this.#save,
      ),
    );
    this.#refresh();
  }

  focus() {
    this.#emotions.focus();
  }

  /* Another frame is seen now. */
  moment() {
    this.#refresh();
  }

  /* Whether the key was meant for the form. */
  key(event) {
    if (event.key === "Escape") {
      this.#options.oncancel();
    } else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) {
      this.#keep();
    } else if (event.key >= "1" && event.key <= "9") {
      const inputs = [...this.node.querySelectorAll(this.#strengths.focused ? ".strengths input" : ".emotions input")];
      const input = inputs[Number(event.key) - 1];
      if (!input) return false;
      input.click();
      // The next question comes by itself.
      if (this.#strengths.focused) this.#save.focus();
      else this.#strengths.focus();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  #refresh() {
    this.#when.textContent = filled(this.#words.time_s, { s: this.#options.time(this.#frame) });
    this.#save.disabled = this.#emotions.value === null || this.#strengths.value === null;
    if (this.#move) this.#move.disabled = this.#options.seen() === this.#frame || this.#options.seen() < 0;
  }

  #keep() {
    if (this.#save.disabled) return;
    this.#options.onsave({ frame: this.#frame, emotion: this.#emotions.value, intensity: this.#strengths.value });
  }
}
