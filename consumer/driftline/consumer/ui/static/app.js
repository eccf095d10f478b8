// The page: addresses, the view that belongs to each, and whether it is live.
import { html, Links, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "driftline/dom.js";
import { Empty } from "driftline/components/layout.js";
import { Shape } from "driftline/components/state.js";
import { live, throttled } from "driftline/source.js";

const base = new URL(document.baseURI).pathname;
const search = (query) => {
  const found = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return found && `?${found}`;
};
const address = (parts, query = {}) => base + parts.map(encodeURIComponent).join("/") + search(query);
const links = {
  model: (model, segment) => address(["models", model], { segment }),
  feature: (model, feature, segment, window) => address(["models", model, "features", feature], { segment, window }),
  performance: (model, segment) => address(["models", model, "performance"], { segment }),
  joint: (model, window) => address(["models", model, "joint"], { window }),
  alert: (id) => address(["alerts", id]),
};

// Which view an address has: its module, its component, the model it is about, its title.
function routeOf({ pathname, search: asked }) {
  const query = Object.fromEntries(new URLSearchParams(asked));
  let parts;
  try {
    parts = pathname.slice(base.length).split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return null;
  }
  const [room, name, view, feature] = parts;
  const route = (file, component, title, model = null, csv = true) => ({ file, component, title, model, csv, room: room || "", query, path: (parts.length ? parts : ["models"]).map(encodeURIComponent).join("/") + asked });
  if (!room) return route("home", "HomeView", "Models");
  if (room === "models" && parts.length === 2) return route("model", "ModelView", name, name);
  if (room === "models" && view === "performance" && parts.length === 3) return route("performance", "PerformanceView", `${name}, performance`, name);
  if (room === "models" && view === "joint" && parts.length === 3) return route("feature", "JointView", `${name}, features together`, name);
  if (room === "models" && view === "features" && parts.length === 4) return route("feature", "FeatureView", `${feature}, ${name}`, name);
  if (room === "alerts" && parts.length === 1) return route("alerts", "AlertsView", "Alerts");
  if (room === "alerts" && parts.length === 2) return route("alerts", "AlertView", "Alert", null, false);
  if (room === "pipeline" && parts.length === 1) return route("pipeline", "PipelineView", "Pipeline", null, false);
  return null;
}

const listeners = new Set(), watch = { status: null, reached: true };
const tell = (model) => listeners.forEach((each) => each(model));
const source = live(base + "api/v1/", {
  changed: tell,
  reached: (is) => { if (watch.reached !== is) { watch.reached = is; tell(is ? null : undefined); } },
  status: (found) => { if (JSON.stringify(found) !== JSON.stringify(watch.status)) { watch.status = found; tell(undefined); } },
});

// The data of a route, fetched again when it changes; what was there before stays until then.
function useAnswer(route) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let here = true;
    const before = source.last(route.path);
    setFound(before && { route, data: before.data });
    const again = throttled(async () => {
      if (!here) return;
      try {
        const { data } = await source.get(route.path);
        if (here) setFound((old) => (old && old.route === route && old.data === data ? old : { route, data }));
      } catch (problem) {
        if (here) setFound((old) => (problem.code || !old || old.route !== route || !old.data ? { route, problem } : old));
      }
    });
    const listen = (model) => model !== undefined && (!model || !route.model || model === route.model) && again();
    listeners.add(listen);
    again();
    return () => ((here = false), listeners.delete(listen));
  }, [route.path, route.component]);
  return found && found.route.path === route.path && found.route.component === route.component ? found : null;
}

const views = new Map();
function useView({ file, component }) {
  const [, drawn] = useState(0);
  useEffect(() => {
    if (!views.has(file)) import(`driftline/views/${file}.js`).then((module) => (views.set(file, module), drawn((n) => n + 1)));
  }, [file]);
  return views.get(file)?.[component];
}

function Problem({ code, message }) {
  const known = { 401: "Sign in", 404: "Not found" }[code];
  return html`<div class="title"><h1>${known || "No answer"}</h1></div><${Empty}>${message} ${code === 401
    ? html`<a href=${location.href} target="_self">Sign in</a>`
    : html`${known ? "It may be older than what is held, or not judged yet." : "It is asked for again with the next change."} <a href=${base}>All models</a>`}<//>`;
}

function View({ route, go, arrived }) {
  const found = useAnswer(route), Drawn = useView(route);
  const ready = Boolean(found && (found.problem || Drawn));
  useLayoutEffect(() => { if (ready) arrived(); }, [ready, route.path]);
  if (!ready) return html`<p class="loading" role="status">Reading ${route.title}…</p>`;
  if (found.problem) return html`<${Problem} ...${found.problem} message=${found.problem.message} />`;
  const { data } = found, id = data.row && data.row.alert_id;
  const models = (source.last("models")?.data.models || []).map((each) => each.model);
  return html`<${Drawn} data=${data} query=${route.query} models=${models} go=${(query) => go(address(["alerts"], query))} write=${async (...all) => { const problem = await source.write(...all); if (!problem) tell(null); return problem; }} address=${id && new URL(links.alert(id), location).href} />
    <p class="data muted">The data of this view: <a href=${base + "api/v1/" + route.path}>JSON</a>
      ${route.csv && html` <a href=${base + "api/v1/" + route.path + (route.path.includes("?") ? "&" : "?") + "format=csv"}>CSV</a>`}</p>`;
}

function Watch() {
  const { status, reached } = watch;
  const loading = status?.loading, cut = !reached || status?.connected === false;
  const word = !reached ? "cut off" : !status ? "connecting" : cut ? "cut off" : loading ? "reading history" : "live";
  return html`<p class="watch ${cut ? "cut" : ""}" role="status">
    <${Shape} state=${cut ? "warning" : loading || !status ? "unknown" : "ok"} />${word}${status?.title && html`<span class="muted wide">
    ${status.title}</span>`}</p>`;
}

function Banner() {
  const { status, reached } = watch;
  if (!reached) return html`<p class="banner" role="alert">The server does not answer. What you see is the last that was read; it is asked again by itself. Is <code>driftline ui</code> running?</p>`;
  if (status?.connected === false) return html`<p class="banner" role="alert">Cut off from the broker: ${status.problem || "it does not answer"}. What you see is the last that was read; it goes on by itself when the broker is back.</p>`;
  if (status?.loading) return html`<p class="banner calm">Reading what was published before. Figures fill in within some seconds.</p>`;
  return null;
}

function Page() {
  const [place, setPlace] = useState({ href: location.href, scroll: null, moved: false });
  const [, drawn] = useState(0);
  const main = useRef(null);
  const route = useMemo(() => routeOf(new URL(place.href)), [place.href]);
  const go = useCallback((href) => {
    history.replaceState({ y: scrollY }, "");
    history.pushState(null, "", href);
    setPlace((old) => ({ href: location.href, scroll: 0, moved: new URL(old.href).pathname !== location.pathname }));
  }, []);
  useEffect(() => {
    history.scrollRestoration = "manual";
    const back = (event) => setPlace({ href: location.href, scroll: event.state?.y || 0, moved: true });
    const follow = (event) => {
      const link = event.target.closest("a[href]");
      if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const to = new URL(link.href instanceof SVGAnimatedString ? link.href.baseVal : link.href, document.baseURI);
      if (link.target || to.origin !== location.origin || !to.pathname.startsWith(base) || to.hash || !routeOf(to)) return;
      event.preventDefault();
      if (to.href !== location.href) go(to.href);
    };
    const listen = () => drawn((n) => n + 1);
    listeners.add(listen);
    addEventListener("popstate", back);
    document.addEventListener("click", follow);
  }, []);
  useEffect(() => { document.title = `${route ? route.title : "Not found"} · Driftline`; }, [route]);
  const arrived = () => {
    if (place.scroll === null) return;
    if (place.moved) {
      const heading = main.current.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      scrollTo(0, place.scroll);
    }
    place.scroll = null;
  };
  const tab = (room, href, name) => html`<a href=${href} aria-current=${(route?.room === room || (room === "" && route?.room === "models"))
    ? "page" : null}>${name}</a>`;
  return html`<${Links.Provider} value=${links}>
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>Skip to the content</a>
    <header class="top"><a class="brand" href=${base}>Driftline</a><nav aria-label="main">
      ${tab("", base, "Models")}${tab("alerts", address(["alerts"]), "Alerts")}${tab("pipeline", address(["pipeline"]), "Pipeline")}</nav>
      <${Watch} /></header>
    <main id="main" ref=${main} tabindex="-1"><${Banner} />
      ${route ? html`<${View} route=${route} go=${go} arrived=${arrived} />` : html`<div class="title"><h1>Not found</h1></div>
      <${Empty}>There is no such page. <a href=${base}>All models</a><//>`}</main><//>`;
}

render(html`<${Page} />`, document.getElementById("page"));
