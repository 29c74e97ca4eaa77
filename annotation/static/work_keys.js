// The keys of the work screen that every round has.

import { showHelp } from "./keys.js";

/** Add them to the key map of `work`, behind those of its panel. */
export function addWorkKeys(work) {
  const { stage } = work;
  const add = (group, ...rows) => work.keys.add(...rows.map(([keys, text, run, shown]) => ({ keys, text, group, run, shown })));
  add(
    "Move",
    [["ArrowRight"], "next frame", () => stage.step(1)],
    [["ArrowLeft"], "frame before", () => stage.step(-1)],
    [["Shift+ArrowRight"], "10 frames on", () => stage.step(10)],
    [["Shift+ArrowLeft"], "10 frames back", () => stage.step(-10)],
    [["PageDown"], "100 frames on", () => stage.step(100)],
    [["PageUp"], "100 frames back", () => stage.step(-100)],
    [["Home"], "first frame", () => work.seek(work.item.shown_first)],
    [["End"], "last frame", () => work.seek(work.item.shown_last)],
    [["."], "next mark, candidate or report", () => work.jump(1)],
    [[","], "mark, candidate or report before", () => work.jump(-1)],
    [["g"], "type a frame number", () => work.numberField.select()],
  );
  add(
    "Play",
    [[" "], "play, stop", () => stage.toggle(), ["Space"]],
    [["v"], "play what is marked, again and again", () => work.playSegment()],
    [["["], "slower", () => stage.slower()],
    [["]"], "faster", () => stage.faster()],
  );
  add(
    "Picture",
    [["c"], "face alone, whole picture", () => stage.toggleCrop()],
    [["+", "="], "closer", () => stage.zoom(1.25)],
    [["-"], "farther", () => stage.zoom(0.8)],
    [["Ctrl+ArrowLeft", "Ctrl+ArrowRight", "Ctrl+ArrowUp", "Ctrl+ArrowDown"], "move the picture", (event) => stage.panKey(event.key), ["Ctrl", "arrows"]],
    [["k"], "more contrast", () => stage.contrast(1.25)],
    [["K"], "less contrast", () => stage.contrast(0.8)],
    [["u"], "brighter", () => stage.brightness(12)],
    [["U"], "darker", () => stage.brightness(-12)],
    [["d"], "difference to the onset (before it is marked: to the first frame of the clip)", () => work.mode("difference")],
    [["m"], "magnify movement since the onset", () => work.mode("magnify")],
    [["t"], "stronger difference or magnification", () => stage.amount(1)],
    [["T"], "weaker", () => stage.amount(-1)],
    [["x"], "picture as it was recorded", () => stage.reset()],
  );
  add("Timeline", [[">"], "closer around this frame", () => work.curve.zoom(0.5)], [["<"], "more of it", () => work.curve.zoom(2)]);
  add(
    "Work",
    [["Enter"], work.panel.savesItself ? "next recording" : "save, and go to the next", () => work.finish()],
    [["z"], "undo", () => work.undo()],
    [["Z", "y"], "redo", () => work.redo()],
    [["N"], "next without saving", () => work.neighbour(1)],
    [["P"], "the one before without saving", () => work.neighbour(-1)],
    [["Escape"], "back to the list", () => work.escape()],
    [["?"], "these keys", () => showHelp(work.keys)],
  );
}
