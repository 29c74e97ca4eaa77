/* The marks made so far, each a step away from being seen or changed; and the end of the report. */

import { element, filled } from "./dom.js";

export class MarkList {
  #words;
  #on;
  #rows = element("ul", { class: "marks" });
  #done;
  #count = 0;
  #asked = false;

  constructor(words, { time, onvisit, onedit, ondone }) {
    this.#words = words;
    this.#on = { time, onvisit, onedit };
    this.#done = element("button", {
      class: "large done",
      text: words.done,
      // Leaving without a single mark is asked once more; nothing else here is final.
      onclick: () => (this.#count || this.#asked ? ondone() : this.#ask()),
    });
    this.question = element("p", { class: "notice", role: "alert", hidden: true, text: words.nothing_marked });
    this.node = element(
      "section",
      { class: "panel list", "aria-label": words.marks },
      element("h2", { text: words.marks }),
      this.#rows,
      this.question,
      this.#done,
    );
  }

  show(marks) {
    this.#count = marks.length;
    this.#asked = false;
    this.question.hidden = true;
    this.#done.textContent = this.#words.done;
    if (!marks.length) {
      this.#rows.replaceChildren(element("li", { class: "none quiet", text: this.#words.no_marks }));
      return;
    }
    const { time, onvisit, onedit } = this.#on;
    this.#rows.replaceChildren(
      ...marks.map((mark) =>
        element(
          "li",
          { "data-mark": String(mark.number) },
          element(
            "button",
            { class: "visit", onclick: () => onvisit(mark) },
            element("span", { class: "numbers quiet", text: filled(this.#words.time_s, { s: time(mark.frame) }) }),
            element("span", { class: "emotion", text: this.#words[mark.emotion] ?? mark.emotion }),
            element("span", { class: "numbers strength", text: String(mark.intensity) }),
          ),
          element("button", { class: "edit", text: this.#words.edit, onclick: () => onedit(mark) }),
        ),
      ),
    );
  }

  #ask() {
    this.#asked = true;
    this.question.hidden = false;
    this.#done.textContent = this.#words.really_done;
  }
}
