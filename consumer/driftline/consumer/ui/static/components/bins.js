// What is normal against what is now: each bin or category, and its part of the effect.
import { html, useEffect, useState } from "driftline/dom.js";
import { count, Num, share } from "driftline/format.js";

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
