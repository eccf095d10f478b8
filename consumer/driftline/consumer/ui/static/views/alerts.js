// All alerts, and one in full: is it real, since when, what else moved, did a deploy do it, what now.
import { html, Links, useContext, useState } from "driftline/dom.js";
import { count, endOf, lasting, many, moment, Num, seconds, share, Time, versionNames, words } from "driftline/format.js";
import { Act, AlertItems, Budget, Link, Marked } from "driftline/components/alerts.js";
import { Bins, Together } from "driftline/components/bins.js";
import { Counts, Labels } from "driftline/components/model.js";
import { Empty, Facts, Panel, Table } from "driftline/components/layout.js";
import { State } from "driftline/components/state.js";

const CHOICES = {
  severity: ["critical", "warning"],
  kind: ["feature_drift", "prediction_drift", "joint_drift", "data_quality", "performance", "labels", "stale", "data_loss"],
  status: ["firing", "resolved"],
};

// `query`: the filter as it stands in the address; `go`: where a changed one leads.
export function AlertsView({ data, query = {}, models = [], go }) {
  const pick = (name, every, choices) => html`<label>
    ${name} <select onChange=${(event) => go({ ...query, [name]: event.currentTarget.value })}><option value="">${every}</option>
    ${choices.map((each) => html`<option value=${each} selected=${query[name] === each}>${name === "model" ? each : words(each)}</option>`)}
    </select></label>`;
  const filtered = Object.values(query).some(Boolean);
  return html`<div class="title"><h1>Alerts</h1><p class="muted" role="status">${many(data.total, "alert")}, newest first</p></div>
    ${go && html`<form class="filter" onSubmit=${(event) => event.preventDefault()}>
      ${pick("model", "every model", query.model && !models.includes(query.model)
        ? [query.model, ...models] : models)}${pick("severity", "every severity", CHOICES.severity)}${pick("kind", "every kind", CHOICES.kind)}${pick("status", "open and resolved", CHOICES.status)}
      ${["since", "until"].map((name) => html`<label>
        ${name} <input type="date" value=${(query[name] || "").slice(0, 10)} onChange=${(event) => go({ ...query, [name]: event.currentTarget.value && event.currentTarget.value + "T00:00:00Z" })} /></label>`)}
      ${filtered && html`<button type="button" onClick=${() => go({})}>Clear</button>`}</form>`}
    ${data.alerts.length ? html`<${AlertItems} rows=${data.alerts} />` : html`<${Empty}>
      ${filtered ? "No alert is so. Clear the filter to see all that are held." : "No alert has fired in the time that is held. Each one shows here as soon as it is published."}<//>`}
    ${data.total > data.alerts.length && !query.limit && go &&
      html`<button onClick=${() => go({ ...query, limit: 1000 })}>Show ${count(Math.min(1000, data.total))}</button>`}`;
}

function Copy({ text, children }) {
  const [done, setDone] = useState(false);
  return html`<button type="button" onClick=${async () => { await navigator.clipboard.writeText(text); setDone(true); }}>
    ${done ? "Copied" : children}</button>`;
}

// What to ask on a terminal; nothing of alerts that speak of no rows.
function Commands({ row, address, here }) {
  if (!here || ["labels", "stale", "data_loss"].includes(row.kind)) return null;
  const commands = { "What changed?": `driftline explain ${row.alert_id}`,
    "A training set of its rows": `driftline export ${row.alert_id} --output drifted.parquet` };
  return html`<${Panel} title="On a terminal"><ul class="commands">${Object.entries(commands).map(([name, text]) =>
    html`<li><span>${name}</span> <code>${text}</code> ${address && html`<${Copy} text=${text}>Copy the command<//>`}</li>`)}</ul><//>`;
}

export function AlertView({ data, write, address }) {
  const links = useContext(Links);
  const { row, record, verdict } = data;
  const about = row.kind === "performance"
    ? links.performance(row.model, row.segment) : row.kind === "joint_drift" ? links.joint(row.model, endOf(record.window)) : row.feature && links.feature(row.model, row.feature, row.segment, endOf(record.window));
  const deploys = row.since ? data.versions.slice(1).filter(({ start }) => Math.abs(seconds(start) - seconds(row.since)) <= 86400) : [];
  const end = record.until || record.window.end;
  return html`<div class="title alert-title"><p class="up"><${Link} to=${links.model(row.model, row.segment)}>
    ${row.model}${row.segment && `, ${row.segment}`}<//>
    ${row.feature && html` <span aria-hidden="true">/</span> ${about ? html`<a href=${about}>${row.feature}</a>` : row.feature}`}</p>
      <h1>${row.summary}</h1><p class="meta"><${State} state=${row.status === "firing" ? row.severity : "resolved"} /><span>
        ${words(row.kind)}</span><span>
        ${row.budgeted ? html`<${Budget} budget=${data.budget} />` : html`fired by a limit of its own, outside the budget: <code>
        ${record.rule}</code>`}</span><${Marked} ...${row} /></p></div>
    <div class="buttons">${about && html`<a class="go" href=${about}>
      See ${row.kind === "performance" ? "the performance" : row.feature || "how features go together"}
      </a>`}${record.runbook && /^https?:/.test(record.runbook) &&
        html`<a class="go plain" href=${record.runbook} rel="noreferrer">Runbook</a>`}
      ${address && html`<${Copy} text=${address}>Copy the link<//>`}${data.writable && write && html`<${Act} row=${row} model=${row.model} feature=${row.kind !== "performance" && row.status === "firing" && row.feature} write=${write} />`}
        </div>
    <${Facts} facts=${[["since", row.since ? html`<${Time} at=${row.since} />` : record.rows && `row ${count(record.rows[0])}`],
      ["lasting", row.since && end && lasting(row.since, end)], ["until", row.until && html`<${Time} at=${row.until} />`], ["first fired",
      html`<${Time} at=${row.fired} />`], ["effect", row.effect !== null && html`<${Num} value=${row.effect} />`],
      [words(record.detector || "value"), record.value !== null && html`<${Num} value=${record.value} />
        ${record.threshold !== null && html` <span class="muted">limit <${Num} value=${record.threshold} />
        </span>`}${record.interval && html` <span class="muted">95 % interval <${Num} value=${record.interval[0]} /> to <${Num} value=${record.interval[1]} /></span>`}`],
      ["normally", record.normal !== null && record.normal !== undefined && html`<${Num} value=${record.normal} />`], ["rule", record.rule],
        ["events", html`<${Num} value=${record.window.events} as=${count} /> in the window to <${Time} at=${endOf(record.window)} />`],
      ["labels", data.labels && html`<${Labels} labels=${data.labels} />`], ["versions", versionNames(record.versions)],
        ["a deploy?", data.versions.length > 1 && (deploys.length ? deploys.map((each) => html`<span>version ${each.version} began <${Time} at=${each.start} /> </span>`) : "no new version within a day of it")], ["also firing", record.also_firing.length > 0 && record.also_firing.map((name, i) => html`${i > 0 && ", "}
        <${Link} to=${links.feature(row.model, name, row.segment, record.window.end)}>${name}<//>`)],
        ["segments", record.segments], ["owner", row.owner]]} />
    ${data.incident.length > 0 && html`<${Panel} title="What moved with it" aside=${many(data.incident.length, "other alert") + " of the same incident"}><${AlertItems} rows=${data.incident} most=${8} /><//>`}
    ${record.features && html`<${Panel} title=${row.kind === "data_quality" ? "Features missing together" : "Features that changed at once"}>
      <${Table} caption="Worst first" head=${["feature", "effect"]} rows=${record.features.map((each) => [html`<${Link} to=${links.feature(row.model, each.name, row.segment, endOf(record.window))}>${each.name}<//>`, html`<${Num} value=${each.effect} />`])} /><//>`}
    <${Together} ...${record} />
    ${verdict && verdict.bins && html`<${Panel} title="Normally and now" aside=${`window to ${moment(endOf(verdict.window))}`}>
      <${Bins} verdict=${verdict} names=${data.names} contributions=${data.contributions} /><//>`}
    ${verdict && verdict.counts && row.kind === "data_quality" && html`<${Panel} title="Values by kind"><${Counts} verdict=${verdict} />
      <//>`}
    <${Commands} here=${data.in_topics} row=${row} address=${address} />
    <${Panel} title="Published"><${Table} caption="Records of this alert" head=${["revision", "status", "severity", "window to", "published", "sentence"]} rows=${data.history.map((each) => [each.revision, words(each.status), each.severity, html`<${Time} at=${each.window_end} />`, html`<${Time} at=${each.published} />`, each.summary]).reverse()} />
      <details><summary>As JSON</summary><pre tabindex="0">${JSON.stringify(record, null, 1)}</pre></details><//>`;
}
