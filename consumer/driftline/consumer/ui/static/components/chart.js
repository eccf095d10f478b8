// Figures over time, as SVG that any width and theme fits; a summary and a table say the same.
import { html, useMemo, useState } from "driftline/dom.js";
import { figure, moment, seconds } from "driftline/format.js";
import { runs } from "driftline/components/state.js";

const DAY = 86400;
const STEPS = [60, 300, 900, 1800, 3600, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 365 * DAY];

// Round numbers from `low` to `high`, some `most` of them.
function ticks(low, high, most, steps = null) {
  const wide = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(wide));
  const step = (steps && steps.find((each) => each >= wide)) || [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= wide * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) => +((first + i) * step).toPrecision(12));
}

// A day, or a clock time with the day where it changes, in UTC.
function timeLabel(stamp, before, step) {
  const [day, clock] = [new Date(stamp * 1e3).toISOString().slice(0, 10), new Date(stamp * 1e3).toISOString().slice(11, 16)];
  if (step >= DAY) return day.slice(5);
  return before !== undefined && Math.floor(before / DAY) === Math.floor(stamp / DAY) ? clock : html`${clock}<br />${day.slice(5)}`;
}

const SIDE = 1000;

// Where everything lies, in a square of `SIDE`.
// `knee`: from this value on, a step up is ten times as much, as evidence grows so.
function scales({ ends, series, low, high, knee }) {
  const bent = knee ? (value) => Math.asinh(value / knee) : (value) => value;
  const xs = ends.map(seconds), values = series.flatMap((each) => each.values).filter((each) => each !== null && each !== undefined);
  const half = xs.length > 1 ? (xs.at(-1) - xs[0]) / (xs.length - 1) / 2 : 1;
  const [from, to] = [xs[0] - half, xs.at(-1) + half];
  let [bottom, top] = [Math.min(low ?? Infinity, ...values), Math.max(high ?? -Infinity, ...values)].map(bent);
  if (!(top > bottom)) [bottom, top] = values.length ? [bottom - (low === bottom ? 0 : 1), bottom + 1] : [0, 1];
  const room = (top - bottom) * 0.06;
  [bottom, top] = [bottom === low ? bottom : bottom - room, top + room];
  return {
    xs, half, from, to, up: knee ? [0, 1, 10, 100, 1e3, 1e4, 1e5].map((each) => each * knee).filter((each) => bent(each) <= top) : ticks(bottom, top, 4),
    x: (time) => (SIDE * (Math.min(to, Math.max(from, time)) - from)) / (to - from),
    y: (value) => SIDE - (SIDE * (bent(value) - bottom)) / (top - bottom),
  };
}

// A line with a gap where there is no value; a value alone is a dot.
function line(values, { xs, x, y }) {
  let path = "", open = false;
  values.forEach((value, i) => {
    if (value === null || value === undefined) return void (open = false);
    path += `${open ? "L" : "M"}${x(xs[i]).toFixed(1)} ${y(value).toFixed(1)}${open ? "" : "h0"}`;
    open = true;
  });
  return path;
}

// Between two edges, in each stretch where both are known.
const band = (lower, upper, { xs, x, y }) =>
  runs(lower.map((each, i) => (each === null || upper[i] === null ? "." : "b"))).filter(([letter]) => letter === "b").map(([, first, length]) => {
    const at = Array.from({ length }, (_, i) => first + i), point = (edge) => (i) => `${x(xs[i]).toFixed(1)} ${y(edge[i]).toFixed(1)}`;
    return `M${at.map(point(upper)).join("L")}L${at.reverse().map(point(lower)).join("L")}Z`;
  }).join("");

const percent = (part) => `${(part / SIDE) * 100}%`;

// `series`: {name, values, tone, dash, edge}; of two neighbours that are an `edge` the band between is filled.
// `states`: a letter each window, of which those in breach are shaded; `marks`: {at, label}.
// `to`: the address of a window, by its end, which a click opens; `chosen`: the number of the one that is open.
export function Chart({ title, ends, series, as = figure, states = "", marks = [], low, high, knee, to = () => null, chosen = null }) {
  const [index, point] = useState(null);
  const [table, setTable] = useState(false);
  const scale = useMemo(() => ends.length && scales({ ends, series, low, high, knee }), [ends, ...series.map(({ values }) => values)]);
  if (!scale) return html`<p class="empty">No window has been judged yet.</p>`;
  const { xs, x, y, half, up } = scale, rows = /^\d+$/.test(ends[0]);
  const across = ticks(scale.from, scale.to, 6, rows ? null : STEPS);
  const last = series[0].values.findLastIndex((each) => each !== null), at = index ?? chosen ?? last;
  const value = ({ values }, i) => (values[i] === null || values[i] === undefined ? "–" : as(values[i]));
  const move = (event) => {
    const box = event.currentTarget.getBoundingClientRect(), time = scale.from + ((event.clientX - box.left) / box.width) * (scale.to - scale.from);
    point(Math.max(0, Math.min(xs.length - 1, xs.findIndex((each) => each + half >= time))));
  };
  let taken = -1;
  const flags = [...marks].sort((a, b) => seconds(a.at) - seconds(b.at)).map(({ at: time, label }) => {
    const place = x(seconds(time)), lower = place < taken;
    taken = place + 170;
    return { place, label, lower };
  });
  return html`<figure class="chart"><figcaption class="readout">${at >= 0 && html`<span>${moment(ends[at])}</span>
    ${series.map((each) => html`<span class=${each.tone || "accent"}>${!each.edge && html`<i class=${each.dash ? "dashed" : ""}>
    </i>`}${each.name} ${value(each, at)}</span>`)}`}</figcaption>
    <div class="plot"><a href=${to(ends[at]) || undefined} tabindex="-1">
      <svg viewBox="0 0 ${SIDE} ${SIDE}" preserveAspectRatio="none" role="img" onPointerMove=${move} onPointerLeave=${() => point(null)}
      aria-label=${`${title}: ${last < 0 ? "no value yet" : `newest ${value(series[0], last)} at ${moment(ends[last])}`}; a table follows`}>
      ${up.map((each) => html`<path class="grid" d=${`M0 ${y(each)}H${SIDE}`} />`)}
      ${runs(states).filter(([letter]) => letter === "c" || letter === "w").map(([letter, first, length]) => html`<g class="breach ${letter}"><rect x=${x(xs[first] - half)} width=${x(xs[first + length - 1] + half) - x(xs[first] - half)} height=${SIDE} /><rect class="foot" x=${x(xs[first] - half)} width=${x(xs[first + length - 1] + half) - x(xs[first] - half)} y=${letter === "c" ? 970 : 985} height="30" /></g>`)}
      ${series.map(({ edge, values }, i) => edge && series[i + 1]?.edge &&
        html`<path class="band" d=${band(values, series[i + 1].values, scale)} />`)}
      ${flags.map(({ place }) => html`<path class="flag" d=${`M${place} 0V${SIDE}`} />`)}
      ${series.map(({ edge, values, tone = "accent", dash }) => !edge &&
        html`<path class="line ${tone} ${dash ? "dashed" : ""}" d=${line(values, scale)} />`)}
      ${[index, chosen].map((each) => each !== null && html`<path class="grid pointer" d=${`M${x(xs[each])} 0V${SIDE}`} />`)}</svg></a>
      <div aria-hidden="true">${up.map((each) => html`<span class="up-tick" style=${{ top: percent(y(each)) }}>${as(each)}</span>`)}
      ${across.map((each, i) => html`<span class="tick" style=${{ left: percent(x(each)) }}>
        ${rows ? figure(each) : timeLabel(each, across[i - 1], across[1] - across[0])}</span>`)}
      ${flags.map(({ place, label, lower }) => html`<span class="flag ${place > 850 ? "before" : ""} ${lower ? "lower" : ""}" style=${{ left: percent(place) }}>${label}</span>`)}</div></div>
    <details onToggle=${(event) => setTable(event.currentTarget.open)}><summary>As a table</summary>
      ${table && html`<div class="scroll" tabindex="0" role="group" aria-label=${`${title}, as a table`}><table><thead><tr>
      <th scope="col">window to</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${ends.map((end, i) => html`<tr><th scope="row">${moment(end)}</th>${series.map((each) => html`<td>${value(each, i)}</td>`)}
        </tr>`).reverse()}</tbody></table></div>`}</details></figure>`;
}
