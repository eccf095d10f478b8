// A report: below its summary, which is in the document, the views of its span, linked with one another.
import { html, Links, render } from "driftline/dom.js";
import { AlertView } from "driftline/views/alerts.js";
import { FeatureView, JointView } from "driftline/views/feature.js";
import { ModelView } from "driftline/views/model.js";
import { PerformanceView } from "driftline/views/performance.js";

const data = JSON.parse(document.getElementById("data").textContent);

// What `report_file.py` left out because it stands elsewhere.
const stream = (model, segment) => JSON.stringify([model, segment || null]);
const rows = (ids) => ids.map((id) => data.rows[id]);
const all = data.alerts.map((each) => data.rows[each.row]);
for (const { model } of data.models) model.open = rows(model.open);
for (const each of [...data.models, ...data.features, ...data.performance, ...data.joint]) each.alerts = rows(each.alerts);
for (const each of data.alerts) {
  each.row = data.rows[each.row];
  each.incident = all.filter((row) => row.incident_id === each.row.incident_id && row !== each.row);
}
for (const each of [...data.features, ...data.alerts])
  if (each.verdict) [each.verdict, each.names, each.contributions] = data.verdicts[each.verdict];
const axes = new Map(data.models.map((each) => [stream(each.model.model, each.segment), each.axis]));
for (const each of data.features) each.axis ||= axes.get(stream(each.model, each.segment));
const whole = (holder, n, names) => {
  for (const name of names) if (holder[name].length === 1) holder[name] = Array(n).fill(holder[name][0]);
};
for (const each of data.features) whole(each, each.axis.ends.length, ["effect", "evidence", "limit", "missing"]);
for (const each of data.joint) whole(each, each.axis.ends.length, ["effect", "evidence", "limit"]);
for (const { axis, metrics } of data.performance) for (const each of metrics) whole(each, axis.ends.length, ["value", "low", "high", "threshold"]);

// What is in the report has an anchor; nothing else is linked.
const anchors = new Map();
const anchor = (...what) => anchors.get(JSON.stringify(what)) || null;
const of = (model, segment) => (segment ? `${model}, ${segment}` : model);
function drawn(title, Drawn, views, keyOf, nameOf) {
  const all = views.map((view) => {
    const id = `view-${anchors.size + 1}`;
    anchors.set(JSON.stringify(keyOf(view)), `#${id}`);
    return { id, view, Drawn, name: nameOf(view) };
  });
  return all.length ? [{ title, all }] : [];
}
const parts = [
  ...drawn("Models", ModelView, data.models, ({ model, segment }) => ["model", stream(model.model, segment)], ({ model, segment }) => of(model.model, segment)),
  ...drawn("Performance", PerformanceView, data.performance, ({ model, segment }) => ["performance", stream(model, segment)], ({ model, segment }) => of(model, segment)),
  ...drawn("Features together", JointView, data.joint, ({ model }) => ["joint", model], ({ model }) => model),
  ...drawn(null, AlertView, data.alerts, ({ row }) => ["alert", row.alert_id], () => null),
  ...drawn("Features", FeatureView, data.features, ({ model, segment, feature }) => ["feature", stream(model, segment), feature], ({ model, segment, feature }) => `${feature} (${of(model, segment)})`),
];
const links = {
  model: (model, segment) => anchor("model", stream(model, segment)),
  feature: (model, feature, segment) => anchor("feature", stream(model, segment), feature),
  performance: (model, segment) => anchor("performance", stream(model, segment)),
  joint: (model) => anchor("joint", model),
  alert: (id) => anchor("alert", id),
};

// The alerts stand in the summary, and are linked from their model.
const Contents = () =>
  html`<nav class="panel contents" aria-label="contents"><h2>In detail</h2>${parts.filter(({ title }) => title).map(({ title, all }) => html`<p><b>${title}</b>${all.map(({ id, name }) => html`<a href=${`#${id}`}>${name}</a>`)}</p>`)}</nav>`;

render(html`<${Links.Provider} value=${links}><${Contents} />${parts.flatMap(({ all }) => all.map((each, i) => ({ ...each, first: i === 0 }))).map(({ id, view, Drawn, first }) => html`<article id=${id} key=${id} class=${first ? "chapter" : ""}><${Drawn} data=${view} /></article>`)}<//>`, document.getElementById("page"));
