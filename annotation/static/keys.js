// The key map: which key does what on the screen that is shown, and the overlay that lists them.

import { h, fill, kbd } from "./dom.js";

const SHOWN = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "␣", Escape: "Esc", PageUp: "Page up",
  PageDown: "Page down", Delete: "Del",
};

/** How a key is written on the screen: "Shift+ArrowLeft" is "Shift ←". */
export function shown(key) {
  if (key === "+") return "+";
  return key.split("+").map((part) => SHOWN[part] ?? part).join(" ");
}

/** The name of a pressed key: "o", "?", "Shift+ArrowRight", "Ctrl+ArrowUp". Null for keys that are the browser's. */
export function keyName(event) {
  if (event.altKey || event.metaKey || event.isComposing) return null;
  let key = event.key;
  // On keyboards of other scripts the letter's place counts.
  if (key.length === 1 && key > "~" && event.code.startsWith("Key")) {
    key = event.code.slice(3);
    if (!event.shiftKey) key = key.toLowerCase();
  }
  if (key.length === 1 && key !== " ") return event.ctrlKey ? null : key;
  return (event.ctrlKey ? "Ctrl+" : "") + (event.shiftKey ? "Shift+" : "") + key;
}

/**
 * All keys of one screen.
 *
 * A binding is {keys: ["o"], text: "mark onset", group: "Marks", run: () => ..., shown: optional}; `shown` is what the
 * overlay prints instead of the keys. Later bindings of a key take it over. Keys typed into text fields are the fields' own, but for Escape.
 */
export class KeyMap {
  constructor() {
    this.bindings = [];
    this._byKey = new Map();
    this._digits = null;
    this._listener = (event) => this._pressed(event);
    document.addEventListener("keydown", this._listener);
  }

  /** Add bindings; returns this. */
  add(...bindings) {
    for (const binding of bindings) {
      this.bindings.push(binding);
      for (const key of binding.keys) this._byKey.set(key, binding);
    }
    return this;
  }

  /** Hand all digits to `run` (one digit a call). */
  digits(run) {
    this._digits = run;
    return this;
  }

  /** A button that does what the key does and shows the key. */
  button(key, label, properties = {}) {
    const binding = this._byKey.get(key);
    return h(
      "button",
      {
        type: "button",
        "aria-keyshortcuts": key,
        title: binding.text,
        // The picture keeps the keyboard: a button that was clicked does not take the arrow keys away.
        onmousedown: (event) => event.preventDefault(),
        onclick: () => binding.run(),
        ...properties,
      },
      label,
      kbd(shown(key)),
    );
  }

  /** Stop listening. */
  close() {
    document.removeEventListener("keydown", this._listener);
  }

  _pressed(event) {
    const dialog = document.querySelector("dialog[open]");
    if (dialog) return;
    const key = keyName(event);
    if (key === null) return;
    const target = event.target;
    const typing = target instanceof HTMLElement && target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (typing && key !== "Escape") return;
    // A focused button answers to Enter and Space itself.
    if (target instanceof HTMLElement && target.matches("button, a, summary, input") && (key === "Enter" || key === " ")) return;
    if (target instanceof HTMLElement && target.closest("[data-arrows]") && key.startsWith("Arrow")) return;
    if (this._digits && /^[0-9]$/.test(key)) {
      event.preventDefault();
      this._digits(key);
      return;
    }
    const binding = this._byKey.get(key);
    if (!binding) return;
    event.preventDefault();
    binding.run(event);
  }
}

/** The overlay with all keys of `map`, closed by Escape or ?. */
export function showHelp(map) {
  const groups = new Map();
  for (const binding of map.bindings) {
    if (!groups.has(binding.group)) groups.set(binding.group, []);
    groups.get(binding.group).push(binding);
  }
  const dialog = document.getElementById("help");
  fill(
    dialog,
    h("h2", {}, "Keys"),
    h(
      "div",
      { class: "key-groups" },
      [...groups].map(([name, bindings]) =>
        h(
          "section",
          {},
          h("h3", {}, name),
          h("dl", {}, bindings.map((binding) => h("div", {}, h("dt", {}, (binding.shown ?? binding.keys.map(shown)).map((key) => h("kbd", {}, key))), h("dd", {}, binding.text)))),
        ),
      ),
    ),
    h("button", { type: "button", onclick: () => dialog.close(), autofocus: true }, "Close", kbd("Esc")),
  );
  dialog.onkeydown = (event) => {
    if (event.key === "?") dialog.close();
  };
  dialog.showModal();
}
