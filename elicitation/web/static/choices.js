/* One line of large targets of which one is chosen: a radio group, so that arrow keys and screen readers know it. */

import { element } from "./dom.js";

let groups = 0;

/*
 * choices({ label, options: [{ value, text, hint }], chosen, onchoose }) -> { node, choose(value), value, focus() }
 * `onchoose(value)` is called for what the participant does, not for `choose`.
 */
export function choices({ label, options, chosen = null, onchoose, className = "" }) {
  groups += 1;
  const name = `group-${groups}`;
  const inputs = new Map();
  const node = element("div", { class: `choices ${className}`, role: "radiogroup", "aria-label": label });
  for (const { value, text, title } of options) {
    const input = element("input", {
      type: "radio",
      name,
      value: String(value),
      class: "unseen",
      "aria-label": title ?? null,
      onchange: () => onchoose(value),
    });
    inputs.set(value, input);
    node.append(element("label", { class: "choice", "data-value": String(value) }, input, element("span", { text })));
  }
  const choose = (value) => {
    for (const [other, input] of inputs) input.checked = other === value;
  };
  if (chosen !== null) choose(chosen);
  return {
    node,
    choose,
    get value() {
      for (const [value, input] of inputs) if (input.checked) return value;
      return null;
    },
    get focused() {
      return [...inputs.values()].includes(document.activeElement);
    },
    focus: () => ([...inputs.values()].find((input) => input.checked) ?? [...inputs.values()][0]).focus(),
  };
}
