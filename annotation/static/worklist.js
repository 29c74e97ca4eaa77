// A coder's work list: per round how far they are, and the clips in the coder's own order.

import { get } from "./api.js";
import { h, fill } from "./dom.js";
import { KeyMap, showHelp } from "./keys.js";

export const KINDS = {
  selection: "Selection of fragments", keyframes: "Key-frames", units: "Action units", crosscheck: "Cross-check of action units",
  emotion: "Emotion",
};

/** Rounds of a work list, open ones first: [{round, kind, open, items}]. */
export function byRound(items) {
  const rounds = new Map();
  for (const item of items) {
    if (!rounds.has(item.round)) rounds.set(item.round, { round: item.round, kind: item.kind, open: item.open, items: [] });
    rounds.get(item.round).items.push(item);
  }
  for (const each of rounds.values()) each.items.sort((a, b) => a.position - b.position);
  return [...rounds.values()].sort((a, b) => b.open - a.open || a.round - b.round);
}

/** The first item of open rounds that is not done, behind `after` of the same round where there is one. */
export function nextToDo(items, after = null) {
  const open = items.filter((item) => item.open && !item.done);
  if (after) {
    const same = open.filter((item) => item.round === after.round).sort((a, b) => a.position - b.position);
    const found = same.find((item) => item.position > after.position) ?? same[0];
    if (found) return found;
  }
  return byRound(open)[0]?.items[0] ?? null;
}

/** Show the list; Enter begins with the first that is not done. */
export async function showWorkList(app) {
  const list = await get("work");
  const next = nextToDo(list.items);
  const map = new KeyMap().add(
    { keys: ["Enter"], text: "go on with the work", group: "Work", run: () => next && app.go(`item/${next.item}`) },
    { keys: ["?"], text: "show the keys", group: "Help", run: () => showHelp(map) },
  );
  fill(
    app.main,
    h(
      "section",
      { class: "page" },
      h("h1", {}, "Your work"),
      h("p", {}, list.total ? `${list.done} of ${list.total} done in the open rounds.` : "Nothing is assigned to you at the moment. The lead opens rounds."),
      h("progress", { max: Math.max(1, list.total), value: list.done, "aria-label": "done" }),
      next && h("p", {}, map.button("Enter", `Go on: ${KINDS[next.kind].toLowerCase()}, ${next.position}`, { class: "primary" }), " ", map.button("?", "Keys")),
      byRound(list.items).map((round) => roundSection(round)),
    ),
  );
  return () => map.close();
}

function roundSection({ round, kind, open, items }) {
  const done = items.filter((item) => item.done).length;
  return h(
    "section",
    { "aria-label": `${KINDS[kind]}, round ${round}` },
    h("h2", {}, KINDS[kind], h("span", { class: "quiet" }, ` round ${round}${open ? "" : ", closed"}: ${done} of ${items.length}`)),
    h(
      "ol",
      { class: "items" },
      items.map((item) =>
        h(
          "li",
          {},
          h("a", { href: `#/item/${item.item}`, class: item.done ? "done" : "todo", "aria-label": `${item.position}, ${item.done ? "done" : "to do"}` }, String(item.position), item.done ? " ✓" : ""),
        ),
      ),
    ),
  );
}
