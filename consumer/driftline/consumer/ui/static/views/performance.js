// How a model performs: metrics with their intervals, labels, confusion, champion and challenger.
import { html, Links, useContext } from "driftline/dom.js";
import { count, endOf, moment, Num, share, words } from "driftline/format.js";
import { AlertItems } from "driftline/components/alerts.js";
import { Chart } from "driftline/components/chart.js";
import { Labels, marksOf, ModelHead } from "driftline/components/model.js";
import { Empty, Panel, Table } from "driftline/components/layout.js";
import { Shape } from "driftline/components/state.js";

// `estimate`: the same metric without labels, where there is one beside the measured one.
function Metric({ metric, estimate, axis, marks }) {
  const level = metric.threshold.some((each) => each !== null);
  const series = [
    { name: metric.estimated ? "estimated" : "measured", values: metric.value },
    { name: "95 % from", values: metric.low, edge: true }, { name: "to", values: metric.high, edge: true },
    ...(estimate ? [{ name: "estimated", values: estimate.value, dash: true }] : []),
    ...(level ? [{ name: "limit", values: metric.threshold, tone: "critical", dash: true }] : []),
    ...(metric.normal === null ? [] : [{ name: "normally", values: axis.ends.map(() => metric.normal), tone: "muted", dash: true }]),
  ];
  const aside = [metric.estimated && "estimated without labels", metric.unit, metric.higher_is_better !== null && (metric.higher_is_better ? "higher is better" : "lower is better"), "the band is the 95 % interval"].filter(Boolean).join("; ");
  return html`<${Panel} title=${words(metric.name)} aside=${aside}>
    <${Chart} title=${words(metric.name)} ends=${axis.ends} states=${metric.states} marks=${marks} series=${series} /><//>`;
}

export function Confusion({ verdict }) {
  const { classes, window, reference } = verdict.confusion;
  const most = Math.max(1, ...window.flat());
  const all = [...classes, "other, or none"].slice(0, window[0].length);
  const row = (counts) => counts.reduce((a, b) => a + b, 0) || 1;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Confusion matrix"><table class="confusion">
    <caption>Events by what happened (rows) and what was predicted (columns), window to ${moment(endOf(verdict.window))}; small: the share of the row, and normally</caption>
    <thead><tr><td></td>${all.map((name) => html`<th scope="col">predicted ${name}</th>`)}</tr></thead>
    <tbody>${classes.map((name, i) => html`<tr><th scope="row">${name}</th>${all.map((_, j) => html`<td class=${i === j ? "right" : ""}>
      <i class="heat" style=${{ opacity: 0.35 * (window[i][j] / most) }}></i><${Num} value=${window[i][j]} as=${count} /><small>
      ${share(window[i][j] / row(window[i]))}, ${share(reference[i][j] / row(reference[i]))}</small></td>`)}</tr>`)}</tbody></table></div>`;
}

function Comparison({ each }) {
  const { champion, challenger, difference } = each.verdict.detectors;
  const side = (name, found) => [name,
    html`<${Num} value=${found?.value} />`, found?.interval ? html`<${Num} value=${found.interval[0]} /> to <${Num} value=${found.interval[1]} />` : "–"];
  const shapes = { better: "resolved", worse: "critical", undecided: "unknown" };
  return html`<${Panel} title=${each.name}><p class="decision"><${Shape} state=${shapes[each.decision] || "unknown"} /> <b>
    ${each.challenger}</b> is <b>${words(each.decision)}</b>
    ${each.decision === "undecided" ? " as yet" : ` than ${each.champion}`}${each.verdict.reason &&
      html` <span class="muted">(${each.verdict.reason})</span>`}</p>
    <${Table} caption="Champion and challenger, all labelled events" head=${["model", "share right or error", "95 % interval"]} rows=${[side(`${each.champion} (champion)`, champion), side(`${each.challenger} (challenger)`, challenger), ...(difference ? [side("difference", difference)] : [])]} /><//>`;
}

export function PerformanceView({ data, segments = [] }) {
  const links = useContext(Links);
  const { model, segment, axis, alerts } = data;
  const marks = marksOf(data);
  const measured = data.metrics.filter(({ estimated }) => !estimated), estimates = data.metrics.filter(({ estimated }) => estimated);
  const shown = [...measured, ...estimates.filter(({ name }) => !measured.some((each) => each.name === name))];
  const labels = data.labelled.some((each) => each !== null);
  return html`<${ModelHead} joint=${data.joint} model=${model} segment=${segment} segments=${segments} here="performance" to=${(each) => links.performance(model, each)} />
    ${alerts.length > 0 && html`<${AlertItems} rows=${alerts} most=${6} />`}
    ${!data.metrics.length && html`<${Empty}>No metric has been judged. Name the topic with the ground truth as <code>labels</code> of this model, or a limit in its <code>performance</code> for an estimate by scores; the first figure comes when enough labels have.<//>`}
    <div class="pair-of">${shown.map((metric) => html`<${Metric} key=${metric.name} metric=${metric} estimate=${estimates.find((each) => each !== metric && each.name === metric.name)} axis=${axis} marks=${marks} />`)}
    ${labels && html`<${Panel} title="Labels" aside=${html`<${Labels} labels=${data.newest_labels} />`}>
      <${Chart} title="labels" as=${count} ends=${axis.ends} low=${0} series=${[{ name: "labelled", values: data.labelled }, { name: "waiting", values: data.waiting, tone: "muted" }, { name: "expired", values: data.expired, tone: "critical" }]} /><//>`}</div>
    <div class="pair-of">${data.confusion?.confusion && html`<${Panel} title="Confusion"><${Confusion} verdict=${data.confusion} /><//>`}
    ${data.comparisons.map((each) => html`<${Comparison} key=${each.name} each=${each} />`)}</div>`;
}
