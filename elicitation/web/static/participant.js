/* Shows the page that the server has, and changes it when the server does. */

import { Answers, follow } from "./server.js";
import { scalePage } from "./scale.js";
import { questionnairePage } from "./questionnaire.js";
import { selfReportPage } from "./self_report.js";
import { blankPage, textPage } from "./text.js";

const PAGES = {
  blank: blankPage,
  text: textPage,
  scale: scalePage,
  questionnaire: questionnairePage,
  self_report: selfReportPage,
};
const place = document.getElementById("page");
const notice = document.getElementById("notice");
const troubles = { lost: false, unsaved: false };
let words = {};
let shown = null; // { state, page }

function tell(trouble, holds) {
  troubles[trouble] = holds;
  notice.hidden = !shown || (!troubles.lost && !troubles.unsaved);
  notice.textContent = troubles.unsaved ? words.not_saved ?? "…" : words.connection_lost ?? "…";
}

const answers = new Answers((holds) => tell("unsaved", holds));

/* The same page of the same step: the server came back, and nothing that is under way is thrown away. */
const same = (a, b) => a.page === b.page && a.step === b.step && a.trial === b.trial;

function show(state) {
  words = state.words;
  document.documentElement.lang = state.language;
  document.documentElement.dir = state.direction;
  if (shown && shown.page.update && same(shown.state, state)) {
    shown.page.update(state);
    shown.state = state;
    return;
  }
  shown?.page.close?.();
  place.replaceChildren();
  place.className = state.page;
  const page = PAGES[state.page](place, state, answers) ?? {};
  shown = { state, page };
  place.dataset.sequence = state.sequence;
  if (!place.contains(document.activeElement)) place.focus({ preventScroll: true });
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  shown?.page.key?.(event);
});
// A finger held down is not a wish for a menu.
addEventListener("contextmenu", (event) => event.preventDefault());

follow(show, (holds) => tell("lost", holds));
