// Log-in, and a user's own new password.

import { post } from "./api.js";
import { h, fill, say } from "./dom.js";

/** Ask for name and password; goes on to where the address points. */
export function showLogin(app) {
  const name = h("input", { name: "name", autocomplete: "username", required: true, maxlength: 40, autofocus: true });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 200 });
  const wrong = h("p", { role: "alert", class: "bad" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await post("login", { name: name.value, password: password.value });
    } catch (error) {
      wrong.textContent = error.status === 401 ? "No user has this name and password." : error.message;
      password.value = "";
      password.focus();
      return;
    }
    app.again();
  };
  fill(
    app.main,
    h(
      "form",
      { class: "login", onsubmit: submit },
      h("h1", {}, "Log in"),
      h("label", {}, "Name", name),
      h("label", {}, "Password", password),
      h("button", { class: "primary" }, "Log in"),
      wrong,
      h("p", { class: "quiet" }, "You have no log-in? The lead of your study makes one."),
    ),
  );
  name.focus();
}

/** Change the own password. */
export function showPassword(app) {
  const old = h("input", { type: "password", autocomplete: "current-password", required: true, maxlength: 200 });
  const fresh = h("input", { type: "password", autocomplete: "new-password", required: true, minlength: 10, maxlength: 200 });
  const submit = async (event) => {
    event.preventDefault();
    await post("me/password", { old: old.value, new: fresh.value });
    old.value = fresh.value = "";
    say("Your password is changed.");
  };
  fill(
    app.main,
    h(
      "form",
      { class: "login", onsubmit: submit },
      h("h1", {}, "New password"),
      h("label", {}, "The password until now", old),
      h("label", {}, "The new one, at least 10 characters", fresh),
      h("button", { class: "primary" }, "Change it"),
    ),
  );
  old.focus();
}
