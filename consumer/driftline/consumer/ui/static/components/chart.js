// Figures over time on a canvas, by uPlot; a summary and a table say the same.
import { html, useEffect, useMemo, useRef, useState } from "driftline/dom.js";
import { figure, moment, seconds } from "driftline/format.js";
import { runs } from "driftline/components/state.js";

// The library is read with the first chart; a report has it already.
let asked = null;
const library = () =>
  (asked ||= globalThis.uPlot
    ? Promise.resolve()
    : new Promise((done, failed) => {
        const script = document.createElement("script");
        Object.assign(script, { src: import.meta.resolve("driftline/vendor/uPlot.iife.min.js"), onload: done, onerror: failed });
        document.head.append(script);
      }));

const theme = matchMedia("(prefers-color-scheme: dark)");

// Colours as the style sheet has them now; a canvas knows no variables.
function inks(box) {
  const probe = box.appendChild(document.createElement("i"));
  const ink = (name) => ((probe.style.color = `var(--${name})`), getComputedStyle(probe).color);
  const all = Object.fromEntries(["accent", "muted", "line", "ink", "critical", "warning", "soft"].map((name) => [name, ink(name)]));
  probe.remove();
  return all;
}

// Days, or clock times with the day where it changes, in UTC.
function tick(stamp, before, step) {
  const text = (of) => new Date(of * 1e3).toISOString();
  const day = text(stamp).slice(step >= 2e7 ? 0 : 5, step >= 2e7 ? 7 : 10);
  if (step >= 86400) return day;
  return text(stamp).slice(11, 16) + (before === undefined || text(before).slice(0, 10) !== text(stamp).slice(0, 10) ? "\n" + day : "");
}

function options(box, { series, states = "", marks = [], height = 190, low, high, as }, rows, read) {
  const ink = inks(box);
  const grid = { stroke: ink.line, width: 1 };
  const font = `11px ${getComputedStyle(box).fontFamily}`;
  const draw = (plot) => {
    const { ctx, bbox } = plot, dpr = devicePixelRatio, xs = plot.data[0];
    const x = (value) => plot.valToPos(value, "x", true);
    const half = xs.length > 1 ? (x(xs[1]) - x(xs[0])) / 2 : 8;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - 14 * dpr, bbox.width, bbox.height + 14 * dpr);
    ctx.clip();
    for (const [letter, first, length] of runs(states)) {
      if (letter !== "c" && letter !== "w") continue;
      const [from, to] = [x(xs[first]) - half, x(xs[first + length - 1]) + half];
      ctx.fillStyle = letter === "c" ? ink.critical : ink.warning;
      ctx.globalAlpha = 0.1;
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(from, bbox.top + bbox.height - (letter === "c" ? 4 : 2) * dpr, to - from, (letter === "c" ? 4 : 2) * dpr);
    }
    ctx.font = `${11 * dpr}px ${getComputedStyle(box).fontFamily}`;
    let taken = 0;
    for (const { at, label } of [...marks].sort((a, b) => seconds(a.at) - seconds(b.at))) {
      const place = Math.max(bbox.left + dpr, x(seconds(at)));
      ctx.fillStyle = ctx.strokeStyle = ink.ink;
      ctx.setLineDash([3 * dpr, 3 * dpr]);
      ctx.lineWidth = dpr;
      ctx.beginPath();
      ctx.moveTo(place, bbox.top - 2 * dpr);
      ctx.lineTo(place, bbox.top + bbox.height);
      ctx.stroke();
      const wide = ctx.measureText(label).width + 6 * dpr, after = place + wide < bbox.left + bbox.width;
      const from = after ? place : place - wide, lower = from < taken;
      taken = Math.max(taken, from + wide);
      ctx.fillText(label, from + 3 * dpr, bbox.top + (lower ? 10 : -4) * dpr);
    }
    ctx.restore();
  };
  return {
    width: box.clientWidth, height, padding: [18, 18, 0, 0], legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: "driftline" } },
    scales: { x: { time: !rows }, y: { range: (_, min, max) => {
      const bottom = Math.min(min ?? 0, low ?? min ?? 0), top = Math.max(max ?? 1, high ?? max ?? 1);
      return [bottom, top === bottom ? bottom + 1 : top + (top - bottom) * 0.08];
    } } },
    tzDate: (stamp) => globalThis.uPlot.tzDate(new Date(stamp * 1e3), "Etc/UTC"),
    axes: [
      { stroke: ink.muted, grid: { show: false }, ticks: grid, font, space: 70, values: (_, splits, __, ___, step) => splits.map((each, i) => (rows ? figure(each) : tick(each, splits[i - 1], step))) },
      { stroke: ink.muted, grid, ticks: { show: false }, font, size: 52, values: (_, splits) => splits.map((each) => as(each)) },
    ],
    series: [{}, ...series.map(({ kind, dash, tone = "accent", width = 1.6 }) => ({
      stroke: kind === "edge" ? "transparent" : ink[tone], width, dash, points: { show: kind === "points" ? true : undefined, size: 4, fill: ink[tone] }, spanGaps: false,
    }))],
    bands: series.flatMap(({ kind }, i) => (kind === "edge" && series[i + 1]?.kind === "edge" ? [{ series: [i + 1, i + 2], fill: ink.soft }] : [])),
    hooks: { drawClear: [draw], setCursor: [(plot) => read(plot.cursor.idx ?? null)] },
  };
}

// `series`: {name, values, dash, tone, kind}; two neighbours of kind `edge` are the upper and the lower edge of a band.
export function Chart({ title, ends, as = figure, ...rest }) {
  const { series } = rest;
  const ref = useRef(null), plot = useRef(null);
  const [index, read] = useState(null);
  const [dark, setDark] = useState(theme.matches);
  const [table, setTable] = useState(false);
  const [there, setThere] = useState(Boolean(globalThis.uPlot));
  const xs = useMemo(() => ends.map(seconds), [ends]);
  const rows = /^\d+$/.test(ends[0] || "");
  const shape = JSON.stringify([series.map(({ name }) => name), rest.marks, rest.low, rest.high, dark, rows]);
  const states = useRef("");
  states.current = rest.states || "";
  useEffect(() => void library().then(() => setThere(true)), []);
  useEffect(() => {
    const again = () => setDark(theme.matches);
    theme.addEventListener("change", again);
    return () => theme.removeEventListener("change", again);
  }, []);
  useEffect(() => {
    if (!there) return;
    const box = ref.current, own = { ...rest, as };
    Object.defineProperty(own, "states", { get: () => states.current });
    const drawn = (plot.current = new globalThis.uPlot(options(box, own, rows, read), [xs, ...series.map(({ values }) => values)], box));
    const sized = new ResizeObserver(() => box.clientWidth && drawn.setSize({ width: box.clientWidth, height: drawn.height }));
    sized.observe(box);
    return () => (sized.disconnect(), drawn.destroy(), (plot.current = null));
  }, [shape, there]);
  useEffect(() => {
    if (plot.current) plot.current.setData([xs, ...series.map(({ values }) => values)]);
  }, [xs, ...series.map(({ values }) => values)]);
  const last = series[0].values.findLastIndex((each) => each !== null);
  const at = index === null || index >= ends.length ? last : index;
  const value = (each, i) => (each.values[i] === null || each.values[i] === undefined ? "–" : as(each.values[i]));
  return html`<figure class="chart"><figcaption><span class="readout">${at >= 0 && html`${moment(ends[at])}${series.filter(({ name }) => name).map((each) => html`<span class=${each.tone || "accent"}>${each.name} ${value(each, at)}</span>`)}`}</span></figcaption>
    <div class="canvas" ref=${ref} role="img" aria-label=${`${title}: ${last < 0 ? "no value yet" : `newest ${value(series[0], last)} at ${moment(ends[last])}`}. A table follows.`}></div>
    <details onToggle=${(event) => setTable(event.currentTarget.open)}><summary>As a table</summary>${table && html`<div class="scroll" tabindex="0" role="group" aria-label=${`${title}, as a table`}><table><thead><tr><th scope="col">window to</th>${series.filter(({ name }) => name).map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${ends.map((end, i) => html`<tr><th scope="row">${moment(end)}</th>${series.filter(({ name }) => name).map((each) => html`<td>${value(each, i)}</td>`)}</tr>`).reverse()}</tbody></table></div>`}</details></figure>`;
}
