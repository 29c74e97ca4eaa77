// The timeline: motion curve, stimulus, self-reports, spotted candidates and marks over the frames; click or drag seeks.

const LANE_PX = 15;
const LABEL_PX = 88;
const AXIS_PX = 16;
const RIGHT_PX = 18;

/** Horizontal place of the middle of `frame`, in pixels; `view` is {first, last, left, width}. */
export function xOf(frame, view) {
  return view.left + ((frame - view.first + 0.5) / (view.last - view.first + 1)) * view.width;
}

/** The frame under a horizontal place, kept within the view. */
export function frameAt(x, view) {
  const frame = Math.floor(view.first + ((x - view.left) / view.width) * (view.last - view.first + 1));
  return Math.min(view.last, Math.max(view.first, frame));
}

/** Frames between labels: the round number that leaves at least `room` pixels for each. */
export function tickStep(view, room = 64) {
  const least = ((view.last - view.first + 1) * room) / view.width;
  let power = 1;
  while (power * 10 <= least) power *= 10;
  return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? power * 10);
}

/** The view with `frame` kept in place and `factor` times as many frames, within [0, last] of `bounds`. */
export function zoomed(view, bounds, frame, factor) {
  const all = bounds.last - bounds.first + 1;
  const count = Math.round(Math.min(all, Math.max(Math.min(20, all), (view.last - view.first + 1) * factor)));
  const share = (frame - view.first) / Math.max(1, view.last - view.first + 1);
  const wished = Math.round(frame - share * count);
  const first = Math.min(bounds.last - count + 1, frame, Math.max(bounds.first, frame - count + 1, wished));
  return { ...view, first, last: first + count - 1 };
}

/** The view moved so that `frame` is in it; the same object where it already is. */
export function following(view, bounds, frame) {
  if (frame >= view.first && frame <= view.last) return view;
  const count = view.last - view.first + 1;
  const first = Math.min(bounds.last - count + 1, Math.max(bounds.first, frame - Math.floor(count / 2)));
  return { ...view, first, last: first + count - 1 };
}

/**
 * The largest value in each of `columns` equal parts of the view; NaN where none was measured.
 * `motion` is {frames, values}, frames ascending; a value holds until the next frame.
 */
export function columnsOf(motion, view, columns) {
  const out = new Float32Array(columns).fill(NaN);
  const { frames, values } = motion;
  if (!frames.length) return out;
  const perColumn = (view.last - view.first + 1) / columns;
  const lastGap = frames.length > 1 ? frames[frames.length - 1] - frames[frames.length - 2] : 1;
  const end = (i) => (i + 1 < frames.length ? frames[i + 1] : frames[i] + lastGap);
  let i = 0;
  for (let column = 0; column < columns; column += 1) {
    const from = view.first + column * perColumn;
    while (i < frames.length && end(i) <= from) i += 1;
    for (let k = i; k < frames.length && frames[k] < from + perColumn; k += 1) {
      if (!(values[k] <= out[column])) out[column] = values[k];
    }
  }
  return out;
}

/** The timeline on a canvas. `onseek(frame)` is called while it is clicked or dragged. */
export class Timeline {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{first: number, last: number}} bounds frames that can be reached
   */
  constructor(canvas, bounds, rateFps, onseek) {
    this.canvas = canvas;
    this.bounds = bounds;
    this.rateFps = rateFps;
    this.layers = { motion: null, stimulus: [], reports: [], spotted: [] };
    this.marks = [];
    this.spans = [];
    this.cursor = bounds.first;
    this.view = { first: bounds.first, last: bounds.last, left: LABEL_PX, width: 1 };
    this._onseek = onseek;
    this._due = false;
    this._styles = getComputedStyle(document.documentElement);
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this._seek(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this._seek(event);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.5 : 1 / 1.5);
    }, { passive: false });
    this._watch = new ResizeObserver(() => this._resize());
    this._watch.observe(canvas);
    this._resize();
  }

  close() {
    this._watch.disconnect();
  }

  /** Show `frame`; the view follows. */
  seek(frame) {
    this.cursor = frame;
    this.view = following(this.view, this.bounds, frame);
    this.redraw();
  }

  /** Show `factor` times as many frames around the cursor. */
  zoom(factor) {
    this.view = zoomed(this.view, this.bounds, this.cursor, factor);
    this.redraw();
  }

  /** Places that previous/next jump to: marks, spans, candidates, reports; ascending. */
  stops() {
    const frames = [
      ...this.marks.map((mark) => mark.frame),
      ...this.spans.flatMap((span) => [span.first, span.last]),
      ...this.layers.reports.map((report) => report.frame),
      ...this.layers.spotted.map((each) => each.apex ?? each.onset),
    ];
    const { first, last } = this.bounds;
    return [...new Set(frames)].filter((frame) => frame >= first && frame <= last).sort((a, b) => a - b);
  }

  /** Draw with the next picture of the screen. */
  redraw() {
    if (this._due) return;
    this._due = true;
    requestAnimationFrame(() => {
      this._due = false;
      this._draw();
    });
  }

  _seek(event) {
    const box = this.canvas.getBoundingClientRect();
    this._onseek(frameAt(event.clientX - box.left, this.view));
  }

  _resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.canvas.height = Math.max(1, Math.round(box.height * ratio));
    this.view = { ...this.view, width: Math.max(1, box.width - LABEL_PX - RIGHT_PX) };
    this.redraw();
  }

  _color(name) {
    return this._styles.getPropertyValue(name).trim() || "#888";
  }

  _draw() {
    const ratio = window.devicePixelRatio || 1;
    const context = this.canvas.getContext("2d");
    const width = this.canvas.width / ratio;
    const height = this.canvas.height / ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    const lanes = [["reports", this.layers.reports], ["stimulus", this.layers.stimulus], ["spotted", this.layers.spotted]].filter(([, all]) => all.length);
    const curve = { top: 4, height: height - AXIS_PX - 8 - LANE_PX * (lanes.length + 1) };
    this._drawMotion(context, curve);
    let top = curve.top + curve.height + 2;
    for (const [name, all] of lanes) {
      this._drawLane(context, name, all, top);
      top += LANE_PX;
    }
    this._drawMarks(context, top, curve.top);
    this._drawAxis(context, height);
    this._drawCursor(context, height);
  }

  _label(context, text, y) {
    context.fillStyle = this._color("--quiet");
    context.textAlign = "right";
    context.fillText(text, LABEL_PX - 20, y);
    context.textAlign = "left";
  }

  _drawMotion(context, { top, height }) {
    this._label(context, "motion", top + height / 2);
    const { left, width } = this.view;
    context.fillStyle = this._color("--lane");
    context.fillRect(left, top, width, height);
    const motion = this.layers.motion;
    if (!motion?.values.length) {
      context.fillStyle = this._color("--quiet");
      context.fillText(motion?.text ?? "not measured yet", left + 8, top + height / 2);
      return;
    }
    const columns = columnsOf(motion, this.view, Math.max(1, Math.round(width)));
    // One scale for the whole, so that a still stretch looks still however far it is zoomed into.
    const most = motion.values.reduce((a, b) => Math.max(a, b), 1e-6);
    context.beginPath();
    context.moveTo(left, top + height);
    columns.forEach((value, i) => context.lineTo(left + i + 0.5, top + height - Math.min(1, (value || 0) / most) * (height - 2)));
    context.lineTo(left + width, top + height);
    context.fillStyle = this._color("--curve");
    context.fill();
  }

  _drawLane(context, name, all, top) {
    this._label(context, name === "reports" ? "self-report" : name, top + LANE_PX / 2);
    for (const each of all) {
      const first = each.first ?? each.onset ?? each.frame;
      const last = each.last ?? each.offset ?? each.frame;
      if (last < this.view.first || first > this.view.last) continue;
      const from = Math.max(this.view.left, xOf(first - 0.5, this.view));
      const to = Math.min(this.view.left + this.view.width, xOf(last + 0.5, this.view));
      context.fillStyle = this._color(`--${name}`);
      context.fillRect(from, top + 2, Math.max(3, to - from), LANE_PX - 4);
      context.save();
      context.beginPath();
      context.rect(from, top, name === "stimulus" ? Math.max(0, to - from) : this.view.left + this.view.width - from, LANE_PX);
      context.clip();
      context.fillStyle = name === "stimulus" ? this._color("--on-lane") : this._color("--text");
      context.fillText(each.label ?? "", name === "stimulus" ? from + 4 : Math.max(from + 3, to) + 3, top + LANE_PX / 2);
      context.restore();
    }
  }

  _drawMarks(context, top, curveTop) {
    this._label(context, "marks", top + LANE_PX / 2);
    const visible = (frame) => frame >= this.view.first && frame <= this.view.last;
    for (const span of this.spans) {
      if (span.last < this.view.first || span.first > this.view.last) continue;
      const from = Math.max(this.view.left, xOf(span.first - 0.5, this.view));
      const to = Math.min(this.view.left + this.view.width, xOf(span.last + 0.5, this.view));
      context.fillStyle = this._color(span.color ?? "--span");
      context.globalAlpha = 0.28;
      context.fillRect(from, curveTop, Math.max(2, to - from), top - curveTop);
      context.globalAlpha = 1;
      context.fillRect(from, top + 3, Math.max(2, to - from), LANE_PX - 6);
    }
    for (const mark of this.marks) {
      if (!visible(mark.frame)) continue;
      const x = xOf(mark.frame, this.view);
      context.strokeStyle = context.fillStyle = this._color(mark.color ?? "--mark");
      context.setLineDash(mark.dashed ? [3, 3] : []);
      context.beginPath();
      context.moveTo(x, curveTop);
      context.lineTo(x, top + LANE_PX);
      context.stroke();
      context.setLineDash([]);
      context.font = "bold 12px system-ui, sans-serif";
      // Marks of several coders stand close together: each coder's have a height of their own.
      context.fillText(mark.label, x + 3, mark.row === undefined ? top + LANE_PX / 2 : curveTop + 7 + mark.row * 11);
      context.font = "11px system-ui, sans-serif";
    }
  }

  _drawAxis(context, height) {
    const step = tickStep(this.view);
    const y = height - AXIS_PX / 2;
    this._label(context, "frame", y);
    context.fillStyle = this._color("--quiet");
    context.textAlign = "center";
    for (let frame = Math.ceil(this.view.first / step) * step; frame <= this.view.last; frame += step) {
      const x = xOf(frame, this.view);
      context.fillRect(x, height - AXIS_PX - 2, 1, 3);
      context.fillText(String(frame), x, y + 1);
    }
    context.textAlign = "left";
  }

  _drawCursor(context, height) {
    const x = xOf(this.cursor, this.view);
    context.strokeStyle = this._color("--cursor");
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height - AXIS_PX);
    context.stroke();
    context.lineWidth = 1;
  }
}
