// The note that goes with an answer.

import { h, kbd } from "../dom.js";

/** A text field for the note of `work`; the key `e` goes into it, Escape leaves it. */
export function noteField(work) {
  const field = h("textarea", {
    rows: 2,
    maxlength: 2000,
    // As it is typed: whoever goes on to the next clip from here loses nothing.
    oninput: () => work.amend({ note: field.value }),
    onkeydown: (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      field.blur();
      work.focus();
    },
  });
  work.keys.add({ keys: ["e"], text: "write a note (Esc leaves it)", group: "Marks", run: () => field.focus() });
  return h("label", { class: "note" }, h("span", {}, "Note ", kbd("e")), field);
}

/** Show `text`, but not while somebody writes. */
export function setNote(label, text) {
  const field = label.querySelector("textarea");
  if (document.activeElement !== field) field.value = text;
}
