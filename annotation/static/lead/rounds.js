// Rounds, for the lead: what can be opened, how far each is, close, and the way to results and agreement.

import { get, post } from "../api.js";
import { counted, h, fill } from "../dom.js";
import { KINDS } from "../worklist.js";

const AGAIN_MS = 5000;
const EXPLAINED = {
  selection: "A selector goes through each recording and cuts it into fragments.",
  keyframes: "Coders mark onset, apex and offset of each fragment. The median counts.",
  units: "Coders mark the action units of each settled expression.",
  crosscheck: "Where the two coders differed, both see both codings and decide anew.",
  emotion: "Annotators choose one of eight emotions. More than half decides.",
};

export async function showRounds(app) {
  const { rounds, ready } = await get("rounds");
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, "Rounds"),
      h("h2", { class: "unseen" }, "What can be opened"),
      h(
        "div",
        { class: "cards" },
        ready.map((each) => openCard(app, each)),
      ),
      h("h2", {}, "Opened so far"),
      rounds.length ? [...rounds].sort((a, b) => b.id - a.id).map((round) => roundCard(app, round)) : h("p", { class: "quiet" }, "No round has been opened yet."),
    ),
  );
  const timer = window.setInterval(() => refresh(app.main), AGAIN_MS);
  return () => window.clearInterval(timer);
}

/** Bring the progress of open rounds up to date, without taking the focus from anybody. */
async function refresh(main) {
  const { rounds } = await get("rounds");
  for (const round of rounds.filter((each) => each.state === "open")) {
    for (const each of round.progress) {
      const bar = [...main.querySelectorAll("progress")].find((one) => one.dataset.who === `${round.id} ${each.coder}`);
      if (!bar) continue;
      bar.value = each.done;
      bar.nextElementSibling.textContent = `${each.done} of ${each.total}`;
    }
  }
}

function openCard(app, { kind, clips, coders_needed: needed, coders_there: there }) {
  const missing = there < needed;
  const what = kind === "selection" ? "recording" : "clip";
  const open = async () => {
    await post("rounds", { kind });
    app.again(`${KINDS[kind]}: opened over ${counted(clips, what)}`);
  };
  return h(
    "section",
    { class: "card", "aria-label": KINDS[kind] },
    h("h3", {}, KINDS[kind]),
    h("p", { class: "quiet small" }, EXPLAINED[kind]),
    h("p", {}, `${counted(clips, what)} ready, ${counted(there, "coder")}${needed ? `, ${needed} needed` : ""}`),
    missing ? h("p", { class: "warning small" }, `⚠ ${needed - there} more needed: give users the role`) : null,
    h("button", { type: "button", class: clips ? "primary" : null, disabled: !clips || missing, onclick: open, "aria-label": `Open a round: ${KINDS[kind]}` }, "Open a round"),
  );
}

function roundCard(app, round) {
  const open = round.state === "open";
  const close = async () => {
    const now = await get(`rounds/${round.id}`);
    const left = now.progress.reduce((sum, each) => sum + each.total - each.done, 0);
    if (left && !window.confirm(`${counted(left, "answer")} still missing. A closed round takes no more. Close it?`)) return;
    await post(`rounds/${round.id}/close`);
    app.again(`Round ${round.id} is closed; its answers can now be seen.`);
  };
  return h(
    "section",
    { class: "card wide", "aria-label": `Round ${round.id}` },
    h("h3", {}, `${round.id}. ${KINDS[round.kind]}`, h("span", { class: open ? "state good" : "state quiet" }, open ? "● open" : "■ closed")),
    h("p", { class: "quiet small" }, `${counted(round.clips, round.kind === "selection" ? "recording" : "clip")}, opened ${when(round.opened)}${round.closed ? `, closed ${when(round.closed)}` : ""}`),
    h(
      "div",
      { class: "progress-rows" },
      round.progress.map((each) =>
        h("label", {}, h("span", {}, each.coder), h("progress", { max: Math.max(1, each.total), value: each.done, "data-who": `${round.id} ${each.coder}` }), h("span", { class: "quiet" }, `${each.done} of ${each.total}`)),
      ),
    ),
    h(
      "div",
      { class: "row" },
      open
        ? [h("button", { type: "button", onclick: close }, "Close the round"), h("span", { class: "quiet" }, "Answers stay hidden from everybody, the lead too, until it is closed.")]
        : [
            h("a", { class: "button", href: `#/results/${round.id}` }, round.disagreements ? `Results, ${round.disagreements} to decide` : "Results"),
            h("a", { class: "button", href: `#/agreement/${round.id}` }, "Agreement"),
          ],
    ),
  );
}

/** A time as people write it. */
export function when(text) {
  return new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** One round's name, for titles. */
export async function roundOf(id) {
  return get(`rounds/${Number(id)}`);
}

