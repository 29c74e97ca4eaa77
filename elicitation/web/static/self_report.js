/* Self-report: the participant's own recording beside what was on the screen, and marks on moments of it. */

import { FrameViewer } from "/shared/frame_viewer.js";
import { element, paragraphs } from "./dom.js";
import { MarkForm } from "./mark_form.js";
import { MarkList } from "./mark_list.js";
import { Transport } from "./transport.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -100, PageDown: 100 };

function viewerOf(canvas, source, options) {
  const { before, behind, count, rate_fps: rateFps, width_px: width, height_px: height } = source;
  return new FrameViewer(canvas, { url: (index) => `${before}${index}${behind}`, count, rateFps, width, height, ...options });
}

/* The picture of the stimulus at a frame of the recording: the last change at or before it. */
function pictureAt(changes, frame) {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle][0] <= frame) low = middle + 1;
    else high = middle;
  }
  return low ? changes[low - 1][1] : -1;
}

export function selfReportPage(place, state, answers) {
  const { words, recording, stimulus } = state;
  let marks = state.given.marks;
  const face = element("canvas", { class: "face", "aria-label": words.your_face, role: "img" });
  const film = element("canvas", { class: "film", "aria-label": words.stimulus, role: "img" });
  const nothing = element("p", { class: "nothing quiet", text: words.no_stimulus });
  const trouble = element("p", { class: "notice trouble", hidden: true, text: words.frame_failed });
  const announce = element("p", { class: "unseen", role: "status" });
  const side = element("div", { class: "side" });
  const filmBox = stimulus
    ? element("figure", { class: "film-box" }, element("figcaption", { class: "quiet", text: words.stimulus }), film, nothing)
    : null;
  const transportPlace = element("div", { class: "transport" });
  place.append(
    element("header", {}, ...paragraphs(state.text)),
    element("div", { class: "face-box" }, face, trouble),
    element("aside", {}, filmBox, side),
    transportPlace,
    announce,
  );

  const viewer = viewerOf(face, recording, { ahead: 40, behind: 30 });
  const filmViewer = stimulus ? viewerOf(film, stimulus, { ahead: 20, behind: 6, parallel: 2 }) : null;
  const rate = recording.rate_fps || 1;
  const time = (frame) => (frame / rate).toFixed(recording.rate_fps ? 3 : 0);
  const transport = new Transport(transportPlace, viewer, words, { rate, onmark: () => openForm(null) });
  const list = new MarkList(words, {
    time,
    onvisit: (mark) => viewer.seek(mark.frame),
    onedit: (mark) => openForm(mark),
    ondone: () => answers.send(state, "/api/done"),
  });
  let form = null;
  showList();
  refresh();

  viewer.addEventListener("frame", ({ detail }) => {
    trouble.hidden = true;
    form?.moment(detail.frame);
    if (!filmViewer) return;
    const picture = pictureAt(state.in_step, detail.frame);
    nothing.hidden = picture >= 0;
    film.style.visibility = picture >= 0 ? "visible" : "hidden";
    if (picture >= 0) filmViewer.seek(picture);
  });
  viewer.addEventListener("error", () => (trouble.hidden = false));
  viewer.seek(0);

  function showList() {
    side.replaceChildren(list.node);
  }

  function refresh() {
    list.show(marks);
    transport.ticks(marks, (mark) => viewer.seek(mark.frame));
  }

  function kept(given) {
    if (!given) return;
    marks = given.marks;
    refresh();
  }

  function openForm(mark) {
    viewer.pause();
    // The frame that is seen counts, not one that is still on its way.
    const frame = mark ? mark.frame : viewer.frame;
    if (frame < 0) return;
    if (mark) viewer.seek(mark.frame);
    form = new MarkForm(state.emotions, words, {
      mark,
      frame,
      time,
      seen: () => viewer.frame,
      onsave: async (content) => {
        closeForm();
        if (mark) kept(await answers.send(state, `/api/marks/${mark.number}`, content, "PUT"));
        else kept(await answers.send(state, "/api/marks", { ...content, key: crypto.randomUUID() }));
        announce.textContent = `${words[content.emotion] ?? content.emotion} ${content.intensity}, ${time(content.frame)}`;
      },
      onremove: async () => {
        closeForm();
        kept(await answers.send(state, `/api/marks/${mark.number}/remove`));
      },
      oncancel: closeForm,
    });
    side.replaceChildren(form.node);
    place.classList.add("marking");
    form.focus();
  }

  function closeForm() {
    form = null;
    place.classList.remove("marking");
    showList();
    transport.focus();
  }

  Object.assign(place, { viewer, film: filmViewer });
  return {
    update(next) {
      marks = next.given.marks;
      refresh();
    },
    key(event) {
      if (form?.key(event)) return;
      const inChoice = event.target instanceof HTMLInputElement && event.target.type === "radio";
      if (event.key in STEPS && !inChoice) viewer.step(STEPS[event.key] * (event.shiftKey ? 10 : 1));
      else if (event.key === "Home" && !inChoice) viewer.seek(0);
      else if (event.key === "End" && !inChoice) viewer.seek(viewer.count - 1);
      else if (event.key === " " && !(event.target instanceof HTMLButtonElement) && !inChoice) viewer.toggle();
      else if (event.key === "+" || event.key === "-") transport.faster(event.key === "+" ? 1 : -1);
      else if (event.key === "m" && !form) openForm(null);
      else return;
      event.preventDefault();
    },
    close() {
      viewer.close();
      filmViewer?.close();
    },
  };
}
