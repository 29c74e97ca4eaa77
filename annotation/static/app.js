// Starts the page: who is logged in, and which screen the address names.

import { get, post, Refused } from "./api.js";
import { h, fill, say } from "./dom.js";
import { showLogin, showPassword } from "./login.js";
import { showWorkList } from "./worklist.js";
import { openItem } from "./work.js";
import { showRounds } from "./lead/rounds.js";
import { showResults } from "./lead/results.js";
import { showAgreement } from "./lead/agreement.js";
import { openDecision } from "./lead/decide.js";
import { showUsers } from "./lead/users.js";
import { showRecordings } from "./lead/recordings.js";

/** Screens by the first part of the address behind #; each takes (app, ...rest) and may return a function that ends it. */
const SCREENS = {
  login: showLogin, password: showPassword, work: showWorkList, item: openItem, rounds: showRounds, results: showResults,
  agreement: showAgreement, decide: openDecision, users: showUsers, recordings: showRecordings,
};

/** What all screens share. */
const app = {
  me: null,
  study: null,
  notice: "",
  main: document.getElementById("main"),
  /** Show another screen, with `notice` in its line of messages. */
  go(address, notice = "") {
    app.notice = notice;
    if (window.location.hash === `#/${address}`) route();
    else window.location.hash = `/${address}`;
  },
  async enter() {
    const [me, study] = await Promise.all([get("me"), get("study")]);
    Object.assign(app, { me, study });
    document.title = `${app.study.name} · dfme annotation`;
  },
  home() {
    return app.me.roles.some((role) => role !== "lead") ? "work" : "rounds";
  },
};

let endScreen = null;
let turn = 0;

async function route() {
  const mine = (turn += 1);
  endScreen?.();
  endScreen = null;
  delete document.body.dataset.screen;
  document.getElementById("help").close();
  try {
    if (!app.me) await app.enter();
    if (mine !== turn) return;
    const [name, ...rest] = window.location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    const screen = SCREENS[name];
    if (!screen || name === "login") {
      app.go(app.home());
      return;
    }
    header(name);
    say(app.notice);
    app.notice = "";
    const end = await screen(app, ...rest);
    if (mine === turn) {
      endScreen = end ?? null;
      // For programs that drive the page: the screen is up.
      document.body.dataset.screen = window.location.hash;
    } else end?.();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (mine !== turn) return;
    if (error.status === 401) {
      app.me = null;
      fill(document.getElementById("top"), h("strong", {}, "dfme annotation"));
      showLogin(app);
      return;
    }
    header("");
    fill(app.main, h("section", { class: "page" }, h("h1", {}, "This cannot be shown"), h("p", {}, error.message), h("p", {}, h("a", { href: `#/${app.home()}` }, "Back to the work list"))));
    say(error.message, "bad");
  }
}

function header(current) {
  const link = (address, text) => h("a", { href: `#/${address}`, "aria-current": address === current ? "page" : null }, text);
  const lead = app.me.roles.includes("lead");
  fill(
    document.getElementById("top"),
    h("strong", {}, app.study.name),
    h(
      "nav",
      { "aria-label": "Screens" },
      app.me.roles.some((role) => role !== "lead") && link("work", "Work"),
      lead && [link("rounds", "Rounds"), link("recordings", "Recordings"), link("users", "Users")],
    ),
    h("span", { class: "grow", id: "place" }),
    h("span", { class: "who" }, `${app.me.name} (${app.me.roles.join(", ")})`),
    link("password", "Password"),
    h(
      "button",
      {
        type: "button",
        onclick: async () => {
          await post("logout");
          sessionStorage.clear();
          app.me = null;
          window.location.hash = "";
          route();
        },
      },
      "Log out",
    ),
  );
}

window.addEventListener("hashchange", route);
// The address behind # names screens: a link to a part of the page moves the focus alone.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  (document.querySelector("canvas.frames") ?? app.main).focus();
});
window.addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Refused)) return;
  event.preventDefault();
  if (event.reason.status === 401) {
    app.me = null;
    route();
  } else say(event.reason.message, "bad");
});
/** Show the same screen anew, with `notice` in its line of messages. */
app.again = (notice = "") => {
  app.notice = notice;
  route();
};
route();
