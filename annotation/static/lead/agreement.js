// Agreement of a closed round, for the lead: figures with intervals, tables per coder and unit, and plots.

import { get } from "../api.js";
import { fill, h, table } from "../dom.js";
import { KINDS } from "../worklist.js";

/** A figure as it is written: three digits behind the point, whole numbers whole, and "—" where there is none. */
export function written(value) {
  if (value === null || value === undefined) return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString() : value.toFixed(3);
  if (Array.isArray(value)) return value.map(written).join(", ");
  if (typeof value === "object") return interval(value) ?? Object.entries(value).map(([name, each]) => `${title(name)} ${written(each)}`).join(", ");
  return String(value);
}

/** {value, low, high} as "0.720 (0.681 to 0.755)"; null for other objects. */
function interval(value) {
  if (!("value" in value && "low" in value && "high" in value)) return null;
  const level = value.level ? `${Math.round(value.level * 100)} %: ` : "";
  return `${written(value.value)} (${level}${written(value.low)} to ${written(value.high)})`;
}

/** A field's name in words: "fleiss_kappa" is "fleiss kappa". */
export function title(name) {
  return name.replaceAll("_", " ");
}

const isTable = (value) => Array.isArray(value) && value.length > 0 && value.every((row) => row && typeof row === "object" && !Array.isArray(row));
const isNested = (value) => value && typeof value === "object" && !Array.isArray(value) && interval(value) === null;

/** Show the figures of round `number`. */
export async function showAgreement(app, number) {
  const id = Number(number);
  const figures = await get(`rounds/${id}/agreement`);
  const { plots = [], kind, round, ...rest } = figures;
  const entries = Object.entries(rest);
  const single = entries.filter(([, value]) => !isTable(value) && !isNested(value));
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, `Agreement, ${kind ? KINDS[kind].toLowerCase() : ""} round ${id}`),
      h("p", { class: "row" }, h("a", { href: "#/rounds" }, "All rounds"), h("a", { href: `#/results/${id}` }, "Results")),
      h("dl", { class: "figure-list" }, single.map(([name, value]) => h("div", {}, h("dt", {}, title(name)), h("dd", {}, written(value))))),
      h("div", { class: "figures" }, plots.map((name) => h("figure", {}, h("img", { src: `/api/rounds/${id}/plots/${name}.svg`, alt: title(name) }), h("figcaption", {}, title(name))))),
      entries.filter(([, value]) => isNested(value)).map(([name, value]) => nested(name, value)),
      entries.filter(([, value]) => isTable(value)).map(([name, rows]) => rowsTable(name, rows)),
    ),
  );
}

function rowsTable(name, rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return table(title(name), columns.map(title), rows.map((row) => columns.map((column) => written(row[column]))));
}

/** An object of objects as a table with a row for each; other objects as two columns. */
function nested(name, value) {
  const rows = Object.entries(value);
  if (rows.length && rows.every(([, each]) => isNested(each))) return rowsTable(name, rows.map(([key, each]) => ({ "": key, ...each })));
  return table(title(name), ["", ""], rows.map(([key, each]) => [title(key), written(each)]));
}
