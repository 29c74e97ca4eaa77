// Agreement of a closed round, for the lead: figures with intervals, plots, and tables per coder and unit.

import { get } from "../api.js";
import { counted, fill, h, table } from "../dom.js";
import { KINDS } from "../worklist.js";

/** A figure as it is written: three digits behind the point, whole numbers whole, "—" where it is not defined. */
export function written(value, unit = "") {
  if (value === null || value === undefined) return "—";
  if (typeof value !== "number") return String(value);
  if (unit === "share") return `${(100 * value).toFixed(1)} %`;
  if (unit === "frames" && value === 1) return "1 frame";
  const digits = unit === "frames" || unit === "ms" ? 1 : 3;
  return (Number.isInteger(value) ? value.toLocaleString() : value.toFixed(digits)) + (unit ? ` ${unit}` : "");
}

/** Show the figures of round `number`. */
export async function showAgreement(app, number) {
  const id = Number(number);
  const report = await get(`rounds/${id}/agreement`);
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, `Agreement: ${KINDS[report.kind].toLowerCase()}, round ${id}`),
      h("p", { class: "row" }, h("a", { href: "#/rounds" }, "All rounds"), h("a", { href: `#/results/${id}` }, "Results")),
      h("p", { class: "quiet" }, `${counted(report.clips, "clip")}, ${counted(report.coders.length, "coder")}: ${report.coders.join(", ")}`),
      h("h2", { class: "unseen" }, "Figures"),
      report.figures.length ? h("div", { class: "cards" }, report.figures.map(figureCard)) : h("p", {}, "There is nothing to compare in this round."),
      h("div", { class: "figures" }, report.plots.map((name) => h("figure", {}, h("img", { src: `/api/rounds/${id}/plots/${name}.svg`, alt: `Plot: ${name}` })))),
      report.tables.map(({ title, columns, rows }) => table(title, columns, rows.map((row) => row.map((cell) => written(cell))))),
    ),
  );
}

function figureCard({ name, value, low, high, unit, reading, about }) {
  return h(
    "section",
    { class: "card figure" },
    h("h3", {}, name),
    h("p", { class: "large" }, written(value, unit), reading ? h("span", { class: "quiet" }, ` ${reading}`) : null),
    low !== null && high !== null ? h("p", { class: "quiet small" }, `95 %: ${written(low, unit)} to ${written(high, unit)}`) : null,
    about ? h("p", { class: "quiet small" }, about) : null,
  );
}
