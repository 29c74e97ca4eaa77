// Stage 1: cut a long recording into fragments that hold expressions. Every change is saved at once.

import { counted, h, fill } from "../dom.js";
import { withFragment } from "../marks.js";

export class SelectionPanel {
  constructor(work) {
    this.work = work;
    this.title = "Fragments";
    this.savesItself = true;
    work.keys.add(
      { keys: ["i"], text: "first frame of a fragment", group: "Marks", run: () => this._first() },
      { keys: ["o"], text: "last frame: the fragment is added", group: "Marks", run: () => this._last() },
      { keys: ["I"], text: "move the first frame of the nearest fragment here", group: "Marks", run: () => this._moveEdge("first_frame") },
      { keys: ["O"], text: "move the last frame of the nearest fragment here", group: "Marks", run: () => this._moveEdge("last_frame") },
      { keys: ["a"], text: "fragment of the candidate nearest to here, with half a second around it", group: "Marks", run: () => this._adopt() },
      { keys: ["Delete", "Backspace"], text: "remove the fragment at this frame", group: "Marks", run: () => this._remove() },
      { keys: ["f"], text: "the whole recording has been gone through", group: "Marks", run: () => this._finished() },
    );
    this.element = h("div");
  }

  start(answer) {
    return { fragments: answer?.fragments ?? [], finished: answer?.finished ?? false, first: null };
  }

  answer() {
    return { kind: "selection", fragments: this.work.value.fragments, finished: this.work.value.finished };
  }

  problems() {
    return [];
  }

  reference() {
    const here = this._here();
    return here >= 0 ? this.work.value.fragments[here].first_frame : (this.work.value.first ?? this.work.item.first_frame);
  }

  marks() {
    const { first } = this.work.value;
    return first === null ? [] : [{ frame: first, label: "in", color: "--onset" }];
  }

  spans() {
    return this.work.value.fragments.map((each) => ({ first: each.first_frame, last: each.last_frame }));
  }

  segment() {
    const here = this._here();
    if (here < 0) return null;
    const { first_frame: first, last_frame: last } = this.work.value.fragments[here];
    return [first, last];
  }

  draw() {
    const { fragments, finished, first } = this.work.value;
    const { rate_fps: rate } = this.work.item;
    const keys = this.work.keys;
    fill(
      this.element,
      h(
        "div",
        { class: "marks two", role: "group", "aria-label": "Fragment" },
        keys.button("i", "First frame"), h("output", { class: first === null ? "quiet" : "" }, first === null ? "not marked" : `frame ${first}`),
        keys.button("o", "Last frame"), h("span", { class: "quiet" }, "adds the fragment"),
        keys.button("a", "Take candidate"), h("span", { class: "quiet" }, `${this.work.timeline?.candidates?.length ?? 0} spotted`),
        keys.button("Delete", "Remove"), h("span", { class: "quiet" }, "the one at this frame"),
      ),
      h("h2", {}, counted(fragments.length, "fragment")),
      h(
        "ol",
        { class: "fragments" },
        fragments.map((each) =>
          h("li", {}, h("button", { type: "button", class: "link", onmousedown: (event) => event.preventDefault(), onclick: () => this.work.seek(each.first_frame) }, `${each.first_frame} to ${each.last_frame}`), h("span", { class: "quiet" }, ` ${((each.last_frame - each.first_frame + 1) / rate).toFixed(2)} s`)),
        ),
      ),
      this.savesItself && keys.button("f", "Gone through to the end", { "aria-pressed": String(finished), class: "wide" }),
      h("p", { class: "quiet small" }, `Leave out movement without emotion: blinks of dry eyes, habitual opening of the mouth. ${this.savesItself ? "Every change is saved at once." : "The clip is cut when you save."}`),
    );
  }

  _here() {
    const { frame } = this.work;
    return this.work.value.fragments.findIndex((each) => each.first_frame <= frame && frame <= each.last_frame);
  }

  _nearest() {
    const { frame } = this.work;
    const away = (each) => Math.max(each.first_frame - frame, frame - each.last_frame, 0);
    const { fragments } = this.work.value;
    return fragments.length ? fragments.indexOf([...fragments].sort((a, b) => away(a) - away(b))[0]) : -1;
  }

  _first() {
    this.work.atFrame((first) => this.work.set({ ...this.work.value, first }) && this.work.tell(`first frame at ${first}`));
  }

  _last() {
    this.work.atFrame((last) => this._add(this.work.value.first, last));
  }

  _adopt() {
    const candidates = this.work.timeline?.candidates ?? [];
    const away = (each) => Math.abs((each.apex ?? each.onset) - this.work.frame);
    const found = [...candidates].sort((a, b) => away(a) - away(b))[0];
    if (!found) {
      this.work.warn("nothing was spotted in this recording");
      return;
    }
    const around = Math.round(this.work.item.rate_fps / 2);
    this._add(Math.max(this.work.item.first_frame, found.onset - around), Math.min(this.work.item.last_frame, found.offset + around));
  }

  _add(first, last, note = "", instead = -1) {
    try {
      const fragments = withFragment(this.work.value.fragments, first, last, note, instead);
      if (this.work.set({ ...this.work.value, fragments, first: null })) this.work.tell(`fragment ${first} to ${last}`);
    } catch (error) {
      this.work.warn(error.message);
    }
  }

  _moveEdge(edge) {
    const at = this._nearest();
    if (at < 0) {
      this.work.warn("there is no fragment yet");
      return;
    }
    const moved = { ...this.work.value.fragments[at], [edge]: this.work.frame };
    this._add(moved.first_frame, moved.last_frame, moved.note, at);
  }

  _remove() {
    const here = this._here();
    if (here < 0) {
      this.work.warn("no fragment is at this frame");
      return;
    }
    const fragments = this.work.value.fragments.filter((_, i) => i !== here);
    if (this.work.set({ ...this.work.value, fragments })) this.work.tell("fragment removed");
  }

  _finished() {
    const finished = !this.work.value.finished;
    if (this.work.set({ ...this.work.value, finished })) this.work.tell(this.work.value.finished ? "gone through to the end" : "not gone through yet");
  }
}
