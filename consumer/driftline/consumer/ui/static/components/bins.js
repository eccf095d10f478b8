// What is normal against what is now: each bin or category with its part of the effect; pairs of features.
import { html, useEffect, useState } from "driftline/dom.js";
import { count, Num, share } from "driftline/format.js";
import { Panel, Table } from "driftline/components/layout.js";

const MOST = 24;
const sum = (counts) => counts.reduce((a, b) => a + b, 0) || 1;
const Bar = ({ of, kind }) => html`<i class="bar ${kind}" style=${{ width: `${(100 * of).toFixed(2)}%` }}></i>`;

export function Bins({ verdict, names, contributions }) {
  const [all, setAll] = useState(false);
  useEffect(() => {
    const unfold = () => setAll(true);
    addEventListener("beforeprint", unfold);
    return () => removeEventListener("beforeprint", unfold);
  }, []);
  const { reference, window: now, categories } = verdict.bins;
  const [normal, present] = [sum(reference), sum(now)];
  let rows = names.map((name, i) => ({ name, normally: reference[i] / normal, now: now[i] / present, part: contributions[i], counted: now[i] }));
  if (categories) rows.sort((a, b) => (b.part || 0) - (a.part || 0));
  const top = Math.max(...rows.flatMap((row) => [row.normally, row.now]), 1e-9);
  const rest = all ? 0 : Math.max(0, rows.length - MOST);
  if (rest) rows = rows.slice(0, MOST);
  return html`<table class="bins">
    <caption>Share of events ${categories ? "by category, those that changed most first" : "by value"}: <i class="key normally">
    </i> normally (${count(normal)} events), <i class="key now"></i> in this window (${count(present)})</caption>
    <thead><tr><th scope="col">${categories ? "category" : "values"}</th><td></td><th scope="col">normally</th><th scope="col">now</th>
      <th scope="col">part of the effect</th><td class="wide"></td></tr></thead>
    <tbody>${rows.map((row) => html`<tr><th scope="row">${row.name}</th><td class="pair"><${Bar} of=${row.normally / top} kind="normally" />
      <${Bar} of=${row.now / top} kind="now" /></td>
      <td><${Num} value=${row.normally} as=${share} /></td><td><${Num} value=${row.now} as=${share} /></td><td>
        <${Num} value=${row.part} as=${share} /></td>
      <td class="part wide"><${Bar} of=${row.part || 0} kind="effect" /></td></tr>`)}</tbody></table>
    ${rest > 0 && html`<button onClick=${() => setAll(true)}>Show ${rest} more</button>`}`;
}

// How features go together: of each pair two small tables of shares, normally and now.
const SIDES = ["low", "middle", "high"];
const Share = (value) => html`<${Num} value=${value} as=${share} />`;
const Pair = ({ features: [a, b], cuts, effect, ...tables }) => html`<h3>${a} and ${b}</h3><p class="muted">effect <${Num} value=${effect} />${[a, b].map((name, i) => html`; ${name} is low up to <${Num} value=${cuts[i][0]} />, high above <${Num} value=${cuts[i][1]} />`)}</p>
  <div class="pair-of">${[["Normally", tables.reference], ["Now", tables.window]].map(([title, rows]) => html`<${Table} caption=${`${title}: ${a} (rows) by ${b} (columns), share of the events`} head=${["", ...SIDES]} rows=${rows.map((row, i) => [SIDES[i], ...row.map(Share)])} />`)}</div>`;

export const Together = ({ pairs, extremes }) => html`
  ${pairs?.length > 0 && html`<${Panel} title="Features that went together" aside="normally: at as many low, middle and high values as now">${pairs.map((pair) => html`<${Pair} ...${pair} />`)}<//>`}
  ${extremes && html`<${Panel} title="Extremes at once"><${Table} caption=${`Events by how many of ${extremes.features} features are extreme`} head=${["features", "normally", "now"]} rows=${extremes.window.map((now, i) => [i, extremes.reference[i], now]).filter(([, ...both]) => both.some(Boolean)).map(([i, ...both]) => [i, ...both.map(Share)])} /><//>`}`;
