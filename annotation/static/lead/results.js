// What a closed round says of each clip, for the lead: first what waits for a decision.

import { get } from "../api.js";
import { h, fill, table } from "../dom.js";
import { KINDS } from "../worklist.js";

/** An answer in one short text. */
export function inWords(answer) {
  if (!answer) return "";
  switch (answer.kind) {
    case "keyframes":
      return (answer.expression ? `${answer.onset} · ${answer.apex} · ${answer.offset}` : "no expression") + (answer.several ? ", several" : "");
    case "units":
    case "crosscheck":
      return answer.units.join(" + ") || "no unit";
    case "emotion":
      return answer.emotion;
    default:
      return `${answer.fragments.length} fragments`;
  }
}

export async function showResults(app, number) {
  const results = await get(`rounds/${Number(number)}/results`);
  const waiting = results.clips.filter((clip) => !clip.settled);
  const settled = results.clips.filter((clip) => clip.settled);
  const rows = (clips) =>
    clips.map((clip) => [
      results.kind === "selection" ? `recording ${clip.clip}` : h("a", { href: `#/decide/${results.round}/${clip.clip}` }, `clip ${clip.clip}`),
      `${clip.first_frame} to ${clip.last_frame}`,
      inWords(clip.answer) + (clip.micro === null || clip.micro === undefined ? "" : clip.micro ? ", micro" : ", macro"),
      clip.by === "nobody" ? "" : clip.by,
      clip.reason,
      clip.answers.filter((each) => !each.repeat).map((each) => h("span", { class: "line" }, `${each.coder}: ${inWords(each.answer)}`)),
    ]);
  const columns = [results.kind === "selection" ? "Recording" : "Clip", "Frames", "Result", "By", "Why", "Coders"];
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, `${KINDS[results.kind]}, round ${results.round}`),
      h("p", { class: "row" }, h("a", { href: "#/rounds" }, "All rounds"), h("a", { href: `#/agreement/${results.round}` }, "Agreement")),
      waiting.length ? table(`${waiting.length} wait for your decision`, columns, rows(waiting)) : h("p", { class: "good" }, "Nothing waits for a decision."),
      settled.length ? table(`${settled.length} settled`, columns, rows(settled)) : null,
    ),
  );
}
