// Small helpers to make elements and to speak to screen readers.

/**
 * Make an element: h("button", {class: "primary", onclick: f, "aria-pressed": "true"}, "Save", kbd("s")).
 * Properties that are functions become listeners; null and false are left out; children may be nested lists.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.flat(4).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put `children` in place of all that `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A key as it is printed on the screen. */
export function kbd(text) {
  return h("kbd", { "aria-hidden": "true" }, text);
}

/** A number with its noun: "1 clip", "2 clips". */
export function counted(number, noun) {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}

/** Text for screen readers alone: more of a control's name than there is room for. */
export function unseen(text) {
  return h("span", { class: "unseen" }, text);
}

let pending = 0;

/** Say `text` to screen readers, once whatever came before it is over. */
export function announce(text) {
  window.clearTimeout(pending);
  put(text);
}

/** Say `text` once nothing newer has come for a moment: frame numbers while a key is held down are not all read out. */
export function announceSoon(text) {
  window.clearTimeout(pending);
  pending = window.setTimeout(() => put(text), 300);
}

function put(text) {
  const region = document.getElementById("live");
  if (region) region.textContent = text;
}

/** Show `text` in the line of messages; `kind` is "good", "warning" or "bad". Read out as well. */
export function say(text, kind = "good") {
  const line = document.getElementById("message");
  if (line) {
    line.textContent = text;
    line.className = kind;
  }
  announce(text);
}

/** A table with a caption: `columns` are titles, `rows` lists of texts or elements. */
export function table(caption, columns, rows) {
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, columns.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell)))))),
  );
}
