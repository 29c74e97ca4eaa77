/* A text, with a countdown or a button; and nothing at all. */

import { element, paragraphs } from "./dom.js";

export function blankPage() {
  return {};
}

export function textPage(place, state, answers) {
  const left = state.seconds_left;
  let timer = 0;
  place.append(element("div", { class: "words" }, ...paragraphs(state.text)));
  if (left !== null) {
    const end = performance.now() + left * 1000;
    const number = element("span", { class: "numbers count" });
    const tick = () => {
      number.textContent = String(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
    };
    tick();
    timer = setInterval(tick, 200);
    place.append(element("p", { class: "countdown", role: "timer" }, number, ` ${state.words.seconds}`));
  } else if (state.button) {
    const next = element("button", {
      class: "primary large",
      text: state.words.next,
      onclick: async () => {
        next.disabled = true;
        if ((await answers.send(state, "/api/done")) === null) next.disabled = false;
      },
    });
    place.append(element("footer", {}, next));
    next.focus();
  }
  return { close: () => clearInterval(timer) };
}
