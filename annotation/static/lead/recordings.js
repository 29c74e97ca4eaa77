// Recordings of the study, for the lead.

import { get, post } from "../api.js";
import { counted, h, fill, table } from "../dom.js";

export async function showRecordings(app) {
  const recordings = await get("recordings");
  const scan = async () => {
    const found = await post("recordings/scan");
    app.again(counted(found.length, "recording"));
  };
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, "Recordings"),
      h("p", {}, h("button", { type: "button", onclick: scan }, "Look for new sessions")),
      table(
        counted(recordings.length, "recording"),
        ["Session", "Trial", "Participant", "Frames", "Frames a second", "Clips", "Files"],
        recordings.map((each) => [
          each.session, each.trial, each.participant ?? "", each.frames.toLocaleString(), String(each.rate_fps), String(each.clips),
          each.missing ? h("span", { class: "bad" }, "⚠ missing") : "there",
        ]),
      ),
    ),
  );
}
