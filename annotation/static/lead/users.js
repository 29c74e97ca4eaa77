// Users, for the lead: make them, give roles, new passwords, switch off.

import { get, patch, post } from "../api.js";
import { h, fill, say, table, unseen } from "../dom.js";

const ROLES = { lead: "lead", selector: "selector", keyframe: "key-frame coder", au: "AU coder", emotion: "emotion annotator" };

export async function showUsers(app) {
  const users = await get("users");
  const secret = h("p", { role: "status", class: "secret" });
  const again = async () => {
    const focus = secret.textContent;
    await showUsers(app);
    if (focus) document.querySelector(".secret").textContent = focus;
  };
  const tell = (user) => {
    secret.textContent = `Password of ${user.name}: ${user.password} (shown this once: give it to them)`;
  };
  fill(
    app.main,
    h(
      "section",
      { class: "page wide" },
      h("h1", {}, "Users"),
      newUser(async (user) => {
        const made = await post("users", user);
        tell(made);
        say(`${made.name} can log in now.`);
        await again();
      }),
      secret,
      table(
        "All users",
        ["Name", ...Object.values(ROLES), "May log in", "Password"],
        users.map((user) => [
          user.name,
          ...Object.keys(ROLES).map((role) =>
            h("input", {
              type: "checkbox", checked: user.roles.includes(role), "aria-label": `${user.name}: ${ROLES[role]}`,
              onchange: async (event) => {
                const roles = event.target.checked ? [...user.roles, role] : user.roles.filter((each) => each !== role);
                await change(user, { roles }, again);
              },
            }),
          ),
          h("input", { type: "checkbox", checked: user.active, "aria-label": `${user.name} may log in`, onchange: (event) => change(user, { active: event.target.checked }, again) }),
          h("button", { type: "button", onclick: async () => tell(await patch(`users/${user.id}`, { new_password: true })) }, "New password", unseen(` for ${user.name}`)),
        ]),
      ),
    ),
  );
}

async function change(user, what, again) {
  try {
    await patch(`users/${user.id}`, what);
    say(`${user.name}: changed`);
  } catch (error) {
    say(error.message, "bad");
  }
  await again();
}

function newUser(make) {
  const name = h("input", { required: true, maxlength: 40, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*", "aria-label": "Name of the new user", placeholder: "name or pseudonym" });
  const roles = Object.keys(ROLES).map((role) => h("label", { class: "inline" }, h("input", { type: "checkbox", value: role }), ` ${ROLES[role]}`));
  const submit = async (event) => {
    event.preventDefault();
    const chosen = roles.map((label) => label.querySelector("input")).filter((box) => box.checked).map((box) => box.value);
    if (chosen.length) await make({ name: name.value, roles: chosen });
    else say("give the user a role first", "warning");
  };
  return h("form", { class: "row", onsubmit: submit }, name, roles, h("button", { class: "primary" }, "Make the user"));
}
