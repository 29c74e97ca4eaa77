/* The affective grade scale: for each emotion, how strongly it was felt. */

import { choices } from "./choices.js";
import { element, filled, paragraphs } from "./dom.js";

export function scalePage(place, state, answers) {
  const { words } = state;
  const rows = state.emotions.map((emotion) => {
    const title = words[emotion] ?? emotion;
    const options = Array.from({ length: state.grades + 1 }, (_, grade) => ({ value: grade, text: String(grade) }));
    const group = choices({
      label: title,
      options,
      chosen: state.given.grades[emotion] ?? null,
      onchoose: (grade) => give(emotion, grade),
    });
    const row = element("div", { class: "row", "data-emotion": emotion }, element("span", { class: "name", text: title }), group.node);
    return { emotion, group, row };
  });
  const open = element("p", { class: "quiet", role: "status" });
  const done = element("button", {
    class: "primary large",
    text: words.next,
    onclick: () => answers.send(state, "/api/done"),
  });
  const ends = element("div", { class: "row ends quiet", "aria-hidden": "true" }, element("span", { class: "name" }));
  ends.append(
    element("span", { class: "poles" }, element("span", { text: words.grade_least }), element("span", { text: words.grade_most })),
  );
  place.append(
    element("header", {}, ...paragraphs(state.text)),
    element("div", { class: "rows" }, ends, ...rows.map(({ row }) => row)),
    element("footer", {}, open, done),
  );
  refresh();
  // What is not answered yet comes first.
  (rows.find(({ group }) => group.value === null) ?? rows[0])?.group.focus();

  function refresh() {
    const left = rows.filter(({ group }) => group.value === null).length;
    open.textContent = left ? filled(words.open_items, { n: left }) : words.all_answered;
    done.disabled = left > 0;
  }

  function give(emotion, grade) {
    refresh();
    answers.send(state, "/api/grade", { emotion, grade });
  }

  return {
    update(next) {
      for (const { emotion, group } of rows) {
        // What is chosen here and still on its way is newer than what the server has.
        if (group.value === null && next.given.grades[emotion] !== undefined) group.choose(next.given.grades[emotion]);
      }
      refresh();
    },
    key(event) {
      const at = rows.findIndex(({ group }) => group.focused);
      const grade = Number(event.key);
      if (at < 0 || event.key === " " || !Number.isInteger(grade) || grade > state.grades) return;
      event.preventDefault();
      rows[at].group.choose(grade);
      give(rows[at].emotion, grade);
      if (at + 1 < rows.length) rows[at + 1].group.focus();
      else done.focus();
    },
  };
}
