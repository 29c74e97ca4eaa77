/* Makes elements without a template language. */

/* element("button", { class: "primary", onclick: f, "aria-label": "x" }, "text", child, ...) */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "text") made.textContent = value;
    else if (value === true) made.setAttribute(key, "");
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* A text of the protocol, in paragraphs; a single line break stays one. */
export function paragraphs(text) {
  const blocks = text.trim().split(/\n\s*\n/u);
  return blocks.filter(Boolean).map((block) => element("p", { class: "said", text: block.trim() }));
}

/* "{n} of {total}" with the numbers in their places. */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/gu, (whole, key) => String(values[key] ?? whole));
}
