// All models, worst first: is anything wrong, since when, how sure.
import { html, Links, useContext, useState } from "driftline/dom.js";
import { count, many, Num, plain, Time } from "driftline/format.js";
import { AlertItems, Budget, Link, period } from "driftline/components/alerts.js";
import { Events, Labels } from "driftline/components/model.js";
import { Empty, useSeen } from "driftline/components/layout.js";
import { State, Strip } from "driftline/components/state.js";

function Model({ row }) {
  const links = useContext(Links);
  return html`<li class="model ${row.state}"><header><h2><${Link} to=${links.model(row.model)}>${row.model}<//></h2>
    <${State} state=${row.state} />
      ${row.owner && html`<span class="muted">${row.owner}</span>`}
      <${Strip} letters=${row.strip} what="states" /></header>
    <p class="meta">${row.window_end ? html`<span>window to <${Time} at=${row.window_end} />
      </span>` : html`<span>no window judged yet</span>`}
      <${Events} row=${row} /><${Labels} labels=${row.labels} />
      <span>${row.drifting ? html`<b>${count(row.drifting)}</b>` : "none"} of ${many(row.features, "feature")} drifting</span>
        <${Budget} budget=${row.budget} /></p>
    ${row.open.length > 0 && html`<${AlertItems} rows=${row.open} most=${5} />`}</li>`;
}

const QUIET_ROW = 34;
function Quiet({ rows }) {
  const links = useContext(Links);
  const [ref, first, end] = useSeen(rows.length, QUIET_ROW, 80);
  return html`<div class="table quiet" role="table" aria-label="Models without an open alert" aria-rowcount=${rows.length + 1}>
    <div role="row" class="head"><span role="columnheader">model</span><span role="columnheader">state</span>
      <span role="columnheader" class="wide">windows</span><span role="columnheader">events</span>
      <span role="columnheader" class="wide">window to</span><span role="columnheader" class="wide">alerts, false allowed</span></div>
    <div role="rowgroup" class="rows" ref=${ref} style=${{ height: rows.length * QUIET_ROW + "px" }}>
      ${rows.slice(first, end).map((row, i) => html`<div role="row" aria-rowindex=${first + i + 2} key=${row.model} style=${{ top: (first + i) * QUIET_ROW + "px" }}>
      <span role="rowheader"><${Link} to=${links.model(row.model)}>${row.model}<//></span><span role="cell"><${State} state=${row.state} />
        </span>
      <span role="cell" class="wide"><${Strip} letters=${row.strip} what="states" /></span><span role="cell" class="number">
        <${Num} value=${row.events} as=${count} /></span>
      <span role="cell" class="wide"><${Time} at=${row.window_end} /></span><span role="cell" class="wide">
        ${row.budget.allowed === null ? "no budget"
          : html`<${Num} value=${row.budget.fired} as=${count} />, ${plain(row.budget.allowed)} false allowed in ${period(row.budget)}`}</span></div>`)}</div></div>`;
}

export function HomeView({ data }) {
  const [text, setText] = useState("");
  const [most, setMost] = useState(40);
  const models = data.models.filter((row) => row.model.toLowerCase().includes(text.toLowerCase()));
  const loud = models.filter((row) => row.open.length), quiet = models.filter((row) => !row.open.length);
  const states = Object.entries(Object.groupBy(data.models, (row) => row.state));
  return html`<div class="title"><h1>Models</h1><p>${states.map(([state, rows]) => html`<span class="state ${state}">
    <${State} state=${state} quiet=${true} /> <b>${count(rows.length)}</b></span>`)}
      ${data.through && html`<span class="muted">judged up to <${Time} at=${data.through} /></span>`}</p>
      ${data.models.length > 8 && html`<input type="search" placeholder="Find a model" aria-label="Find a model" onInput=${(event) => setText(event.currentTarget.value)} />`}</div>
    ${!data.models.length && html`<${Empty}>No verdict has been published yet. A model shows here once its first window is judged: check that events arrive with <code>driftline check</code>, or see one at once with <code>driftline demo --ui</code>.<//>`}
    ${data.models.length > 0 && !loud.length && html`<p class="calm"><${State} state="ok" quiet=${true} /> No alert is open.</p>`}
    <ul class="models">${loud.slice(0, most).map((row) => html`<${Model} key=${row.model} row=${row} />`)}</ul>
    ${loud.length > most && html`<p>
      <button onClick=${() => setMost(loud.length)}>Show ${count(loud.length - most)} more with open alerts</button></p>`}
    ${quiet.length > 0 && (quiet.length < 6 ? html`<ul class="models">${quiet.map((row) => html`<${Model} key=${row.model} row=${row} />`)}
      </ul>` : html`<${Quiet} rows=${quiet} />`)}`;
}
