// Talks to the server: JSON in and out, errors as one line for people.

/** What the server refused, with its status. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body) {
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused("the server does not answer: check the network; what you marked is kept in this window", 0);
  }
  if (response.status === 204) return null;
  const content = await response.json().catch(() => null);
  if (response.ok) return content;
  throw new Refused(reason(content?.detail) ?? `the server answered ${response.status}`, response.status);
}

/** The detail of an error as one line; FastAPI lists what is wrong with each field. */
function reason(detail) {
  if (!Array.isArray(detail)) return detail;
  return detail.map((each) => `${each.loc?.slice(1).join(" ") ?? ""}: ${each.msg}`.replace(/^: /, "")).join("; ");
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const patch = (path, body) => request("PATCH", path, body);

/** Address of a frame of an item or a clip: `base` is "items/7" or "clips/7". */
export function frameUrl(base, frame, crop) {
  return `/api/${base}/frames/${frame}.jpg?crop=${crop}&quality=${crop === "face" ? 90 : 80}`;
}
