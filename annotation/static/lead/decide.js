// The lead decides on a clip: all answers beside the picture, the panel of the round, and a reason; or cuts it anew.

import { get, post, Refused } from "../api.js";
import { h, kbd } from "../dom.js";
import { keyFrameMarks } from "../panels/keyframes.js";
import { SelectionPanel } from "../panels/selection.js";
import { Work } from "../work.js";
import { KINDS } from "../worklist.js";
import { inWords } from "./results.js";

/** Cuts one clip into several: the panel of the selection, saved as one. */
class SplitPanel extends SelectionPanel {
  constructor(work) {
    super(work);
    this.title = "Cut anew";
    this.savesItself = false;
  }

  problems() {
    return this.work.value.fragments.length ? [] : ["mark a fragment first: i at its first frame, o at its last"];
  }
}

/** Decide on clip `clip` of round `round`; with "split" behind it, cut the clip anew. */
export async function openDecision(app, round, clip, how = "") {
  const base = `clips/${Number(clip)}`;
  const back = `results/${Number(round)}`;
  const [view, timeline, results] = await Promise.all([get(base), get(`${base}/timeline`), get(`rounds/${Number(round)}/results`)]);
  const result = results.clips.find((each) => each.clip === Number(clip));
  if (!result) throw new Refused(`round ${round} has no clip ${clip}`, 404);
  const answers = result.answers.filter((each) => !each.repeat);
  const split = how === "split";
  const why = h("input", { maxlength: 2000, "aria-label": "Reason of the decision", placeholder: "reason", value: split ? "several expressions" : "" });
  const item = {
    ...view, item: Number(clip), kind: results.kind, round: results.round, open: true, position: 0, label: `clip ${clip}`,
    answer: result.answer && !split ? { answer: result.answer, version: 0 } : null,
    coder_units: answers.filter((each) => each.answer.units).map((each) => ({ coder: each.coder, units: each.answer.units, note: each.answer.note })),
  };
  const work = new Work(app, {
    base,
    item,
    timeline,
    always: true,
    panel: split ? SplitPanel : undefined,
    title: `${KINDS[results.kind]}, decision on clip ${clip}`,
    marks: results.kind === "keyframes" ? answers.flatMap((each, i) => keyFrameMarks(each.answer, true, i)) : [],
    extra: h(
      "section",
      { class: "comparison", "aria-label": "Answers of the coders" },
      h("p", { class: result.settled ? "quiet small" : "warning small" }, result.settled ? `Settled by ${result.by === "lead" ? "the lead" : "the coders"}. ${result.reason}` : result.reason),
      h("ol", {}, answers.map((each) => h("li", {}, h("b", {}, each.coder), `: ${inWords(each.answer)}`, each.answer.note ? h("span", { class: "quiet" }, ` “${each.answer.note}”`) : null))),
      results.kind === "keyframes" && !split ? h("p", {}, h("a", { href: `#/decide/${round}/${clip}/split` }, "Cut this clip anew")) : null,
      split ? null : h("label", {}, "Reason ", kbd("w"), " ", why),
    ),
    send: async (answer) => {
      if (split) {
        await post(`${base}/split`, { fragments: answer.fragments });
        return null;
      }
      if (!why.value.trim()) {
        why.focus();
        throw new Refused("give a reason: it is kept with the decision", 422);
      }
      await post(`rounds/${Number(round)}/clips/${Number(clip)}/decision`, { answer, reason: why.value.trim() });
      return null;
    },
    leave: () => app.go(back),
    after: async () => {
      app.go(back, split ? "The clip is cut anew." : "Decided.");
    },
  });
  if (!split) work.keys.add({ keys: ["w"], text: "write the reason (Tab or Esc leaves it)", group: "Marks", run: () => why.focus() });
  return () => work.close();
}
