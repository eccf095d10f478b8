// One model, or one segment of it: which features, since when, what moved with it.
import { html, Links, useContext, useMemo, useState } from "driftline/dom.js";
import { count, many, Num, share, Time, versionNames, words } from "driftline/format.js";
import { AlertItems, Budget, Link } from "driftline/components/alerts.js";
import { Events, Labels, ModelHead } from "driftline/components/model.js";
import { Empty, Facts, Panel, useSeen } from "driftline/components/layout.js";
import { Spark, State } from "driftline/components/state.js";
import { Timeline } from "driftline/components/timeline.js";

const ROW = 32;
const STATES = ["critical", "warning", "ok", "insufficient"];

function Features({ view }) {
  const links = useContext(Links);
  const [text, setText] = useState("");
  const [state, setState] = useState("");
  const rows = useMemo(() => view.features.filter((row) => row.feature.toLowerCase().includes(text.toLowerCase()) && (!state || row.state === state)), [view.features, text, state]);
  const [ref, first, end] = useSeen(rows.length, ROW, 60);
  const { model: { model }, segment } = view;
  return html`<div class="filter">
    <input type="search" placeholder="Find a feature" aria-label="Find a feature" onInput=${(event) => setText(event.currentTarget.value)} />
      <select aria-label="State" onChange=${(event) => setState(event.currentTarget.value)}><option value="">every state</option>
        ${STATES.map((each) => html`<option value=${each}>${words(each)}</option>`)}</select>
      <span class="muted" role="status">
        ${rows.length === view.features.length ? many(rows.length, "feature") : `${count(rows.length)} of ${many(view.features.length, "feature")}`}</span></div>
    <div class="table features" role="table" aria-label="Features, worst first" aria-rowcount=${rows.length + 1}>
    <div role="row" class="head"><span role="columnheader">feature</span><span role="columnheader">state</span>
      <span role="columnheader">effect</span><span role="columnheader" class="wide">lately</span><span role="columnheader">missing</span>
      <span role="columnheader" class="wide">since</span><span role="columnheader" class="wide">type</span></div>
    <div role="rowgroup" class="rows" ref=${ref} style=${{ height: rows.length * ROW + "px" }}>
      ${rows.slice(first, end).map((row, i) => html`<div role="row" aria-rowindex=${first + i + 2} key=${row.feature} style=${{ top: (first + i) * ROW + "px" }}>
      <span role="rowheader"><${Link} to=${links.feature(model, row.feature, segment)} title=${row.feature}>${row.feature}<//>
        ${row.segments.length > 0 && html`<small class="muted"> in ${row.segments.join(", ")}</small>`}</span>
      <span role="cell" title=${row.reason}><${State} state=${row.state} quiet=${true} /></span><span role="cell" class="number">
        <${Num} value=${row.effect} /></span>
      <span role="cell" class="wide"><${Spark} recent=${row.recent} limit=${1000 * view.critical} state=${row.state} /></span>
        <span role="cell" class="number"><${Num} value=${row.missing} as=${share} /></span>
      <span role="cell" class="wide">
        ${row.since && html`<${Time} at=${row.since} />`}</span>
        <span role="cell" class="wide muted">${row.type}</span></div>`)}</div></div>
    ${!rows.length && html`<${Empty}>No feature is so. Clear the search, or choose another state.<//>`}`;
}

export function ModelView({ data }) {
  const links = useContext(Links);
  const { model: row, segment } = data;
  const open = data.alerts.filter((each) => each.status === "firing"), over = data.alerts.filter((each) => each.status !== "firing");
  return html`<${ModelHead} model=${row.model} state=${row.state} segment=${segment} segments=${row.segments} here="features" joint=${data.joint} to=${(each) => links.model(row.model, each)} />
    <${Facts} facts=${[["window to", row.window_end && html`<${Time} at=${row.window_end} />`], ["in it", html`<${Events} row=${row} />`],
      ["labels", row.labels && html`<${Labels} labels=${row.labels} />`],
      ["drifting", html`${count(row.drifting)} of ${many(row.features, "feature")}`], ["budget",
        html`<${Budget} budget=${row.budget} />`], ["versions", versionNames(row.versions)], ["reference", row.reference &&
        html`<code>${row.reference}</code>`], ["owner", row.owner]]} />
    ${open.length > 0 && html`<${Panel} title=${many(open.length, "open alert")}><${AlertItems} rows=${open} most=${12} /><//>`}
    <${Panel} title="Features over time" aside=${many(data.axis.ends.length, "window")}>
      ${data.axis.ends.length ? html`<${Timeline} view=${data} />`
        : html`<${Empty}>No window has been judged yet: the first verdict comes when a window has ended and its grace is over.<//>`}<//>
    <${Panel} title="Features" aside=${html`worst first; the dashed line is the effect from which an alert is critical, <${Num} value=${data.critical} />`}><${Features} view=${data} /><//>
    ${over.length > 0 && html`<${Panel} title="Resolved"><${AlertItems} rows=${over} most=${20} /><//>`}`;
}
