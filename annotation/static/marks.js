// What a coder has marked and not yet saved, with undo: pure values, no elements.

export const KEY_FRAMES = ["onset", "apex", "offset"];

/** Whether two values are the same as JSON, whatever the order of their fields. */
export function same(a, b) {
  if (a === b) return true;
  if (!a || !b || typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}

/**
 * What was marked in a window and not saved, if it goes on from what is saved now; else null.
 *
 * `draft` is {version, sent, value}: the version it was begun on, the answer that was on its way, what is marked. That
 * answer may have arrived although nobody heard of it any more.
 */
export function draftOn(draft, saved) {
  if (!draft) return null;
  const version = saved?.version ?? 0;
  const arrived = draft.sent && version === draft.version + 1 && same(draft.sent, saved.answer);
  return version === draft.version || arrived ? draft.value : null;
}

/** Values with undo and redo. Each value is frozen and whole; `set` puts a new one. */
export class History {
  constructor(value) {
    this._past = [];
    this._future = [];
    this.value = Object.freeze(value);
  }

  /** Take `value` as the newest; nothing happens where it equals what is there. */
  set(value) {
    if (same(value, this.value)) return false;
    this._past.push(this.value);
    this._future = [];
    this.value = Object.freeze(value);
    return true;
  }

  /** Put `fields` into the newest value and all others: for what undo does not take back, such as a note. */
  amend(fields) {
    const amended = (value) => Object.freeze({ ...value, ...fields });
    this._past = this._past.map(amended);
    this._future = this._future.map(amended);
    this.value = amended(this.value);
  }

  /** Go one step back; false where there is none. */
  undo() {
    if (!this._past.length) return false;
    this._future.push(this.value);
    this.value = this._past.pop();
    return true;
  }

  /** Take an undo back; false where there is none. */
  redo() {
    if (!this._future.length) return false;
    this._past.push(this.value);
    this.value = this._future.pop();
    return true;
  }
}

/** A coder's key-frames of one clip before anything is marked. */
export function noKeyFrames() {
  return { none: false, onset: null, apex: null, offset: null, several: false, note: "" };
}

/** `marks` with `name` at `frame`. Marking takes "no expression" back. */
export function withKeyFrame(marks, name, frame) {
  return { ...marks, none: false, [name]: frame };
}

/** "No expression here", or that taken back. */
export function withoutExpression(marks) {
  return { ...marks, onset: null, apex: null, offset: null, none: !marks.none };
}

/**
 * What is wrong with the marks, in words for the coder; an empty list where they can be saved.
 * An apex at the onset or the offset is allowed, as in the rule onset <= apex <= offset.
 */
export function keyFrameProblems(marks) {
  if (marks.none) return [];
  const problems = KEY_FRAMES.filter((name) => marks[name] === null).map((name) => `${name} is not marked`);
  for (const [first, second] of [["onset", "apex"], ["apex", "offset"], ["onset", "offset"]]) {
    if (marks[first] !== null && marks[second] !== null && marks[first] > marks[second]) {
      problems.push(`${second} (${marks[second]}) lies before ${first} (${marks[first]})`);
    }
  }
  return problems;
}

/**
 * Whether the marks make a micro-expression: at most 500 ms from onset to offset or at most 250 ms from onset to apex,
 * counted inclusively. Null where a mark is missing.
 */
export function isMicro(marks, rateFps) {
  if (KEY_FRAMES.some((name) => marks[name] === null) || keyFrameProblems(marks).length) return null;
  return 2 * (marks.offset - marks.onset + 1) <= rateFps || 4 * (marks.apex - marks.onset + 1) <= rateFps;
}

/** A unit as it is written: "AU12", "L-AU12", "M57". */
export function unitName(number, side) {
  const code = number === 57 || number === 58 ? `M${number}` : `AU${number}`;
  return side === "B" ? code : `${side}-${code}`;
}

/**
 * The coded units with one toggled. `units` is a list of names as `unitName` gives them, in the order of FACS numbers.
 * A unit is on one side or on both: marking one side where the other is marked makes it both.
 */
export function toggleUnit(units, number, side) {
  const sides = new Map(units.map((name) => [unitNumber(name), unitSide(name)]));
  const now = sides.get(number);
  if (now === undefined) sides.set(number, side);
  else if (now === side) sides.delete(number);
  else if (now === "B" || side === "B") sides.set(number, side);
  else sides.set(number, "B");
  return [...sides].sort(([a], [b]) => a - b).map(([each, where]) => unitName(each, where));
}

export function unitNumber(name) {
  return Number(name.replace(/^[LR]-/, "").replace(/^(AU|M)/, ""));
}

export function unitSide(name) {
  return /^[LR]-/.test(name) ? name[0] : "B";
}

/**
 * Fragments with one from `first` to `last` added, in order of their first frame; `instead` is the index of one that it
 * takes the place of. Throws an Error that says what is wrong.
 */
export function withFragment(fragments, first, last, note = "", instead = -1) {
  if (first === null || last === null) throw new Error("mark the first (i) and the last frame (o) of the fragment");
  if (last < first) throw new Error(`the last frame (${last}) lies before the first (${first})`);
  const others = fragments.filter((_, i) => i !== instead);
  const hit = others.find((each) => first <= each.last_frame && each.first_frame <= last);
  if (hit) throw new Error(`overlaps the fragment ${hit.first_frame} to ${hit.last_frame}`);
  return [...others, { first_frame: first, last_frame: last, note }].sort((a, b) => a.first_frame - b.first_frame);
}
