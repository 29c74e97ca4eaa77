/* Talks to the server: follows what is to be seen, and sends answers until they are kept. */

const AGAIN_MS = 500;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Calls `show(state)` for every change, for ever; `lost(true)` while the server does not answer. */
export async function follow(show, lost) {
  let sequence = "";
  for (;;) {
    try {
      const response = await fetch(`/api/state?after=${encodeURIComponent(sequence)}`);
      // A server that has just started: what is shown here stays until it knows better.
      if (response.status === 503) {
        await pause(AGAIN_MS);
        continue;
      }
      if (!response.ok) throw new Error(String(response.status));
      const state = await response.json();
      lost(false);
      if (state.sequence !== sequence) {
        sequence = state.sequence;
        show(state);
      }
    } catch {
      lost(true);
      await pause(AGAIN_MS);
    }
  }
}

/* Sends answers one after the other, each again and again until it is kept or refused. */
export class Answers {
  #last = Promise.resolve();
  #waiting = 0;
  #unsaved;

  /* `unsaved(true)` while an answer waits longer than usual. */
  constructor(unsaved) {
    this.#unsaved = unsaved;
  }

  /* An answer on a page of the session. Resolves with what counts now, or with null where the server refused it. */
  async send(state, path, content = {}, method = "POST") {
    const place = { page: state.page, step: state.step, trial: state.trial };
    return (await this.post(path, { ...place, ...content }, method))?.given ?? null;
  }

  /* Any answer. Resolves with what the server says, or with null where it refused. */
  post(path, content, method = "POST") {
    const body = JSON.stringify(content);
    this.#waiting += 1;
    const sent = this.#last.then(() => this.#keep(path, body, method));
    this.#last = sent;
    return sent.finally(() => {
      this.#waiting -= 1;
      if (!this.#waiting) this.#unsaved(false);
    });
  }

  async #keep(path, body, method) {
    for (;;) {
      try {
        const response = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body });
        if (response.ok) return await response.json();
        // Another page is shown meanwhile, or the answer is none: sending it again changes nothing.
        if ([400, 404, 405, 409, 422].includes(response.status)) return null;
      } catch {
        // The server is away, and comes back.
      }
      this.#unsaved(true);
      await pause(AGAIN_MS);
    }
  }
}
