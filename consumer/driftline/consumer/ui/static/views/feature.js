// One feature, or how features go together: evidence over time, and what is normal against what is now.
import { html, Links, useContext } from "driftline/dom.js";
import { count, endOf, moment, Num, share, Time, tiny, versionNames, words } from "driftline/format.js";
import { Act, AlertItems, Link } from "driftline/components/alerts.js";
import { Bins, Together } from "driftline/components/bins.js";
import { Chart } from "driftline/components/chart.js";
import { Counts, Labels, marksOf, ModelHead } from "driftline/components/model.js";
import { Empty, Facts, Panel, Table } from "driftline/components/layout.js";
import { Spark, State } from "driftline/components/state.js";

function Detectors({ verdict }) {
  const rows = Object.entries(verdict.detectors).map(([name, each]) => [words(name), html`<${Num} value=${each.value} />`,
    html`<${Num} value=${each.p_value} as=${tiny} />`,
    html`<${Num} value=${each.threshold} />`, each.state ? html`<${State} state=${each.state} />`
    : html`<span class="muted">no rule</span>`]);
  return rows.length > 0 && html`<${Table} caption="Detectors in this window" head=${["detector", "value", "p-value", "threshold", "state"]} rows=${rows} />`;
}

const Evidence = ({ of, data, ...charts }) => html`<${Panel} title="Evidence that ${of}" aside="natural logarithm; above the limit each line is ten times the last">
  <${Chart} title="evidence" knee=${data.limit.findLast((each) => each)} ...${charts} states=${data.states} series=${[{ name: "evidence", values: data.evidence }, { name: "limit", values: data.limit, tone: "critical", dash: true }]} /><//>`;

export function FeatureView({ data, write }) {
  const links = useContext(Links);
  const { model, segment, feature, axis, verdict, alerts } = data;
  const marks = marksOf(data);
  const at = verdict ? axis.ends.indexOf(endOf(verdict.window)) : -1;
  const step = (by, word) => {
    const end = axis.ends[at + by], href = end && at >= 0 && links.feature(model, feature, segment, end);
    return href && html`<a href=${href} rel=${by < 0 ? "prev" : "next"}>${word}</a>`;
  };
  const charts = { ends: axis.ends, marks, low: 0, to: (end) => links.feature(model, feature, segment, end), chosen: at < 0 || at === axis.ends.length - 1 ? null : at };
  const sequential = data.evidence.some((each) => each !== null), missing = data.missing.some((each) => each);
  const shown = verdict && html`window to ${moment(endOf(verdict.window))}`;
  return html`<${ModelHead} joint=${data.joint} model=${model} state=${verdict && verdict.state} segment=${segment} segments=${data.segments.map((each) => each.segment)} to=${(each) => links.feature(model, feature, each)}><${Link} to=${links.model(model, segment)} class="up">${model}<//> ${feature}<//>
    ${alerts.length > 0 && html`<${AlertItems} rows=${alerts} most=${4} />`}
    ${data.labels && html`<p class="calm"><${Link} to=${links.performance(model, segment)}><${Labels} ...${data} /><//></p>`}
    ${data.writable && write && html`<div class="buttons"><${Act} model=${model} feature=${feature} write=${write} /></div>`}
    <div class="pair-of"><${Panel} title="Effect over time" aside="PSI in nats; one scale for all features">
      <${Chart} title="effect" ...${charts} states=${data.states} series=${[{ name: "effect", values: data.effect }, { name: "critical from", values: axis.ends.map(() => data.critical), tone: "critical", dash: true }]} /><//>
    ${sequential && html`<${Evidence} of="it changed" data=${data} ...${charts} />`}</div>
    <${Panel} title="Normally and now" aside=${shown} class="window">
      ${verdict && html`<nav aria-label="windows">
        ${step(-1, "← earlier window")}${step(1, "later window →")}${at >= 0 && at < axis.ends.length - 1 &&
          html`<a href=${links.feature(model, feature, segment)}>newest window</a>`}</nav>`}
      ${!verdict && html`<${Empty}>No verdict on this feature is held. Choose a later window, or wait for the next one.<//>`}
      ${verdict && html`<${Facts} facts=${[["state", html`<${State} state=${verdict.state} />`], ["why", verdict.reason], ["events",
        html`<${Num} value=${verdict.window.events} as=${count} />`], ["effect", verdict.effect !== null &&
        html`<${Num} value=${verdict.effect} />`], ["evidence", verdict.sequential &&
        html`<${Num} value=${verdict.sequential.evidence} /> of <${Num} value=${verdict.sequential.limit} /> needed`],
        ["began", verdict.sequential && verdict.sequential.onset && html`<${Time} at=${verdict.sequential.onset} />`],
        ["versions", versionNames(verdict.versions)], ["type", verdict.type], ["note", verdict.note],
        ["accepted", verdict.accepted && html`by ${verdict.accepted.who}: “${verdict.accepted.why}”; normal is what came since ${moment(verdict.accepted.since)}, from ${moment(verdict.accepted.start)} on`]]} />`}
      ${verdict && verdict.bins && html`<${Bins} verdict=${verdict} names=${data.names} contributions=${data.contributions} />`}<//>
    ${verdict && html`<div class="pair-of"><${Panel} title="Values by kind"><${Counts} verdict=${verdict} /><//>
      <div><${Panel} title="Detectors"><${Detectors} verdict=${verdict} />
        ${!Object.keys(verdict.detectors).length && html`<${Empty}>This window was not judged: ${verdict.reason}.<//>`}<//>
      ${missing && html`<${Panel} title="Missing over time">
        <${Chart} title="missing values" as=${share} ...${charts} series=${[{ name: "missing", values: data.missing }]} /><//>`}</div>
        </div>`}
    ${data.segments.length > 0 && html`<${Panel} title="In each segment" aside="newest windows">
      <${Table} caption="The same feature in each segment" head=${["segment", "state", "effect", "lately", "events", "missing"]} rows=${data.segments.map((each) => [html`<${Link} to=${links.feature(model, feature, each.segment)}>${each.segment}<//>`, html`<${State} state=${each.state} />`, html`<${Num} value=${each.effect} />`, html`<${Spark} recent=${each.recent} limit=${1000 * data.critical} state=${each.state} />`, html`<${Num} value=${each.events} as=${count} />`, html`<${Num} value=${each.missing} as=${share} />`])} /><//>`}`;
}

export function JointView({ data }) {
  const links = useContext(Links);
  const { model, alerts, verdict } = data;
  return html`<${ModelHead} model=${model} joint=${true} here="together" state=${verdict && verdict.state} segments=${data.segments} to=${(each) => links.model(model, each)}>${model}<//>
    ${alerts.length > 0 && html`<${AlertItems} rows=${alerts} most=${4} />`}
    <${Evidence} of="features no longer go together" data=${data} ends=${data.axis.ends} low=${0} marks=${marksOf(data)} to=${(end) => links.joint(model, end)} chosen=${verdict && data.axis.ends.indexOf(endOf(verdict.window))} />
    ${verdict ? html`<${Facts} facts=${[["window to", moment(endOf(verdict.window))], ["events", html`<${Num} value=${verdict.window.events} as=${count} />`], ["why", verdict.reason]]} />
      <${Together} ...${verdict} />` : html`<${Empty}>No verdict on this window is held. Choose a later one.<//>`}`;
}
