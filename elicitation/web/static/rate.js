/* Rating clips: watch one, name one emotion and its intensity, go on. */

import { choices } from "./choices.js";
import { element, filled, paragraphs } from "./dom.js";
import { Answers } from "./server.js";

const place = document.getElementById("page");
const notice = document.getElementById("notice");
const { words, language, direction, emotions } = await (await fetch("/api/study")).json();
const answers = new Answers((holds) => {
  notice.hidden = !holds;
  notice.textContent = words.not_saved;
});
const skipped = new Set();
document.documentElement.lang = language;
document.documentElement.dir = direction;

/* Letters and digits that nobody takes for one another. */
function newCode() {
  const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";
  return [...crypto.getRandomValues(new Uint8Array(6))].map((n) => letters[n % letters.length]).join("");
}

function welcome() {
  const code = element("input", { type: "text", value: sessionStorage.code ?? newCode(), maxlength: "32", autocomplete: "off", spellcheck: "false" });
  const hint = element("p", { class: "quiet", text: words.rate_code_hint });
  const start = async (event) => {
    event.preventDefault();
    const volunteer = code.value.trim();
    const response = await fetch(`/api/volunteers/${encodeURIComponent(volunteer)}`);
    if (!response.ok) {
      hint.className = "notice";
      hint.textContent = words.rate_bad_code;
      return;
    }
    sessionStorage.code = volunteer;
    next(volunteer, await response.json());
  };
  const form = element(
    "form",
    { class: "code panel", onsubmit: start },
    element("label", {}, element("span", { text: words.rate_code }), code),
    hint,
    element("button", { class: "primary large", text: words.rate_start }),
  );
  place.replaceChildren(element("div", { class: "words" }, ...paragraphs(words.rate_welcome)), form);
  form.querySelector("button").focus();
}

function next(volunteer, task) {
  const stimulus = task.left.find((name) => !skipped.has(name));
  if (stimulus === undefined) {
    const text = task.left.length ? `${words.rate_thanks}\n\n${words.rate_skipped}` : words.rate_thanks;
    place.replaceChildren(element("div", { class: "words" }, ...paragraphs(text)));
    return;
  }
  watch(volunteer, task, stimulus);
}

function watch(volunteer, task, stimulus) {
  const video = element("video", { src: `/clips/${encodeURIComponent(stimulus)}`, preload: "auto", playsinline: true, disablepictureinpicture: true });
  const play = element("button", { class: "primary large start", text: words.rate_play });
  const box = element("div", { class: "video-box" }, video, play);
  play.addEventListener("click", () => {
    play.hidden = true;
    video.play().catch(() => (play.hidden = false));
  });
  video.addEventListener("ended", () => ask(volunteer, stimulus));
  video.addEventListener("error", () => {
    skipped.add(stimulus);
    answers.post("/api/unplayable", { volunteer, stimulus });
    const on = element("button", { class: "primary large", text: words.next, onclick: () => next(volunteer, task) });
    box.replaceChildren(element("p", { class: "notice", text: words.rate_cannot_play }), on);
    on.focus();
  });
  const where = filled(words.rate_watch, { n: task.done + skipped.size + 1, total: task.total });
  place.replaceChildren(element("header", { class: "quiet" }, element("p", { role: "status", text: where })), box);
  play.focus();
}

function ask(volunteer, stimulus) {
  const save = element("button", { class: "primary large save", text: words.next, disabled: true });
  const refresh = () => (save.disabled = named.value === null || strength.value === null);
  const named = choices({
    label: words.which_emotion,
    options: emotions.map((emotion) => ({ value: emotion, text: words[emotion] ?? emotion })),
    onchoose: refresh,
    className: "emotions",
  });
  const strength = choices({
    label: words.how_strong,
    options: [1, 2, 3, 4, 5].map((value) => ({ value, text: String(value) })),
    onchoose: refresh,
    className: "strengths",
  });
  save.addEventListener("click", async () => {
    save.disabled = true;
    const task = await answers.post("/api/ratings", { volunteer, stimulus, emotion: named.value, intensity: strength.value });
    if (task) next(volunteer, task);
    else welcome();
  });
  place.replaceChildren(
    element(
      "div",
      { class: "ask panel" },
      element("p", { class: "asked", text: words.which_emotion }),
      named.node,
      element("p", { class: "asked", text: words.how_strong }),
      strength.node,
      element("p", { class: "poles quiet", "aria-hidden": "true" }, element("span", { text: words.intensity_least }), element("span", { text: words.intensity_most })),
      element("footer", {}, save),
    ),
  );
  named.focus();
}

addEventListener("contextmenu", (event) => event.preventDefault());
welcome();
