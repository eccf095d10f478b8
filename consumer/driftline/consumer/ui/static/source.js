// Where the live page has its data from: the API, and the stream that says what changed.

const AGAIN = 1000, STATUS = 10000, KEPT = 30;

// `changed(model)`: a verdict or alert of a model was read, of any model where it is null.
export function live(api, { changed, reached, status }) {
  const kept = new Map();
  let stream = null, opened = false;

  async function answer(path, options) {
    const response = await fetch(api + path, options);
    const text = await response.text();
    if (response.ok) return text;
    let told = {};
    try { told = JSON.parse(text); } catch { /* not ours: a proxy's page */ }
    throw Object.assign(new Error(told.detail || `The server answered ${response.status}.`), { code: response.status });
  }
  const look = throttled(async () => {
    if (document.hidden) return;
    try {
      status(JSON.parse(await answer("status")));
      reached(true);
    } catch {
      reached(false);
    }
  });
  // A browser opens few connections to one server: a page that nobody sees gives its own back.
  function listen() {
    if (document.hidden) return void (stream && (stream.close(), (stream = null)));
    if (stream && stream.readyState !== EventSource.CLOSED) return;
    stream = new EventSource(api + "stream");
    stream.addEventListener("changed", (event) => {
      changed(JSON.parse(event.data).model);
      look();
    });
    stream.onopen = () => (reached(true), opened && changed(null), (opened = true));
    stream.onerror = () => look();
  }
  document.addEventListener("visibilitychange", () => (listen(), document.hidden || (look(), changed(null))));
  setInterval(() => (listen(), look()), STATUS);
  listen();
  look();

  return {
    // What was last answered, at once; null where it never was.
    last: (path) => kept.get(path) || null,
    async get(path) {
      const text = await answer(path), before = kept.get(path);
      kept.delete(path);
      kept.set(path, before && before.text === text ? before : { text, data: JSON.parse(text) });
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
      return kept.get(path);
    },
    // `to`: what it is about, such as an alert's marks. Null, or what is wrong.
    async write(to, token, body) {
      try {
        await answer(to, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
        sessionStorage.setItem("token", token);
        sessionStorage.setItem("who", body.who);
        return null;
      } catch (problem) {
        return problem.message;
      }
    },
  };
}

// Runs `work` at once, then at most every second while it is asked for.
export function throttled(work) {
  let busy = false, wanted = false;
  return async function ask() {
    if (busy) return void (wanted = true);
    busy = true;
    await work();
    setTimeout(() => ((busy = false), wanted && ((wanted = false), ask())), AGAIN);
  };
}
