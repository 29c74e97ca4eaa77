/* The long questionnaire, some questions a page. */

import { choices } from "./choices.js";
import { element, filled, paragraphs } from "./dom.js";

const PER_PAGE = 4;

export function questionnairePage(place, state, answers) {
  const { words, questions } = state;
  const pages = Math.max(1, Math.ceil(questions.length / PER_PAGE));
  const groups = questions.map(({ text, answers: offered }, number) =>
    choices({
      label: text,
      options: offered.map((answer, value) => ({ value, text: answer })),
      chosen: state.given.answers[number],
      onchoose: (answer) => {
        answers.send(state, "/api/question", { question: number, answer });
        refresh();
      },
    }),
  );
  const list = element("div", { class: "questions" });
  const where = element("p", { class: "quiet", role: "status" });
  const back = element("button", { class: "large", text: words.back, onclick: () => turn(page - 1) });
  const next = element("button", {
    class: "primary large",
    onclick: () => (page + 1 < pages ? turn(page + 1) : answers.send(state, "/api/done")),
  });
  place.append(element("header", {}, ...paragraphs(state.text)), list, element("footer", {}, where, back, next));

  const on = (number) => groups.slice(number * PER_PAGE, (number + 1) * PER_PAGE);
  const open = (number) => on(number).filter((group) => group.value === null).length;
  // Where it was left.
  let page = Array.from({ length: pages }, (_, number) => number).find((number) => open(number)) ?? pages - 1;
  turn(page);

  function turn(number) {
    page = Math.min(Math.max(number, 0), pages - 1);
    list.replaceChildren(
      ...on(page).map((group, k) => {
        const asked = element("p", { class: "question", text: questions[page * PER_PAGE + k].text });
        return element("div", { class: "item", "data-question": String(page * PER_PAGE + k) }, asked, group.node);
      }),
    );
    list.scrollTop = 0;
    refresh();
  }

  function refresh() {
    const left = open(page);
    const here = filled(words.questions_page, { n: page + 1, total: pages });
    where.textContent = left ? `${here} · ${filled(words.open_items, { n: left })}` : here;
    back.hidden = page === 0;
    next.textContent = words.next;
    next.disabled = left > 0;
  }

  return {
    update(fresh) {
      groups.forEach((group, number) => {
        if (group.value === null && fresh.given.answers[number] !== null) group.choose(fresh.given.answers[number]);
      });
      refresh();
    },
  };
}
