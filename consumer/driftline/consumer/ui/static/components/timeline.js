// Features over time: versions, alerts, events and states of all features above one axis.
import { html, Links, useContext, useMemo, useState } from "driftline/dom.js";
import { count, LETTERS, moment, seconds, words } from "driftline/format.js";
import { Link } from "driftline/components/alerts.js";
import { useSeen } from "driftline/components/layout.js";
import { Cells } from "driftline/components/state.js";

const ROW = 15, LANES = 6;

// Where a time lies on the axis, 0 to 1: each window has the same width.
export function places(ends) {
  const times = ends.map(seconds);
  const step = times.length > 1 ? times[1] - times[0] : 1;
  return (text) => {
    const time = seconds(text);
    let i = times.findIndex((end) => time <= end);
    if (i < 0) return 1;
    const before = i ? times[i - 1] : times[0] - step;
    return Math.max(0, (i + (time - before) / (times[i] - before || 1)) / times.length);
  };
}

const percent = (x) => `${(100 * x).toFixed(2)}%`;
const Lane = ({ name, height, label, children }) =>
  html`<div class="lane"><span class="name muted">${name}</span>
    <svg height=${height} role=${label && "img"} aria-label=${label} aria-hidden=${!label}>${children}</svg></div>`;

// Alerts that overlap stand under each other.
function lanes(alerts, place) {
  const ends = [];
  return alerts
    .filter((each) => each.since)
    .map((row) => ({ row, from: place(row.since), to: row.until ? place(row.until) : 1 }))
    .sort((a, b) => a.from - b.from)
    .map((each) => {
      let lane = ends.findIndex((end) => end <= each.from);
      if (lane < 0) lane = ends.length;
      ends[lane] = each.to + 0.004;
      return { ...each, lane };
    });
}

function Events({ axis, volume, normal }) {
  const top = Math.max(1, ...volume.map((each) => each || 0), ...normal.map((each) => each || 0));
  const one = 100 / volume.length;
  return volume.map((each, i) => each !== null &&
    html`<rect class="events" x=${i * one + "%"} width=${one * 0.86 + "%"} y=${`${100 - (100 * each) / top}%`} height="100%"><title>${moment(axis.ends[i])}: ${count(each)}</title></rect>`);
}

export function Timeline({ view, choose }) {
  const { axis, features, alerts, versions, normal_volume: normal } = view;
  const volume = view.volume.some((each) => each !== null) ? view.volume : axis.events;
  const n = axis.ends.length;
  const links = useContext(Links);
  const [ref, first, end] = useSeen(features.length, ROW, 40);
  const [cell, setCell] = useState([0, n - 1]);
  const [over, setOver] = useState(false);
  const place = useMemo(() => places(axis.ends), [axis.ends]);
  if (!n) return null;
  const bars = lanes(alerts, place);
  const rows = Math.min(LANES, Math.max(0, ...bars.map((each) => each.lane + 1)));
  const [row, column] = [Math.min(cell[0], features.length - 1), Math.min(cell[1], n - 1)];
  const at = features[row];
  const said = at && `${at.feature}, window to ${moment(axis.ends[column])}: ${words(LETTERS[at.states[column]] || "no verdict")}`;
  const opens = at && links.feature(view.model.model, at.feature, view.segment, axis.ends[column]);
  const move = (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -n], End: [0, n], PageUp: [-20, 0], PageDown: [20, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = [Math.max(0, Math.min(features.length - 1, row + by[0])), Math.max(0, Math.min(n - 1, column + by[1]))];
    setCell(next);
    const frame = ref.current.parentElement, y = next[0] * ROW;
    if (y < frame.scrollTop) frame.scrollTop = y;
    else if (y + 2 * ROW > frame.scrollTop + frame.clientHeight) frame.scrollTop = y + 2 * ROW - frame.clientHeight;
  };
  const point = (event) => {
    const name = ref.current.querySelector(".name"), box = ref.current.getBoundingClientRect();
    const left = box.left + (name ? name.offsetWidth : 0), x = (event.clientX - left) / (box.right - left);
    setOver(x >= 0);
    if (x >= 0) setCell([Math.floor((event.clientY - box.top) / ROW), Math.floor(x * n)]);
  };
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (n - 1))).filter((i, k, all) => all.indexOf(i) === k);
  return html`<div class="timeline">
    ${versions.length > 0 && html`<${Lane} name="versions" height="16" label=${versions.map((each) => `version ${each.version} from ${moment(each.start)}`).join("; ")}>
      ${versions.map((each) => html`<g>
        <rect class="version" x=${percent(Math.min(0.999, place(each.end) - 1 / n))} width="1.5" height="16" />
        <text x=${percent(place(each.end) - 1 / n)} dx="5" y="12">${each.version}</text></g>`)}<//>`}
    ${rows > 0 && html`<${Lane} name="alerts" height=${rows * 9 + 2}>
      ${bars.filter((each) => each.lane < LANES).map(({ row: own, from, to, lane }) => html`<a href=${links.alert(own.alert_id)} tabindex="-1"><rect class="span ${own.status === "firing" ? own.severity : "resolved"}" x=${percent(from)} width=${percent(Math.max(0.004, to - from))} y=${lane * 9 + 1} height="7" rx="1.5"><title>${own.summary}</title></rect></a>`)}<//>`}
    <${Lane} name="events" height="26" label=${`events in each window, the newest ${count(volume[n - 1] || 0)}`}>
      <${Events} axis=${axis} volume=${volume} normal=${normal} /><//>
    <div class="frame" onMouseLeave=${() => setOver(false)}>
      <div class="rows" ref=${ref} style=${{ height: features.length * ROW + "px" }} onMouseMove=${point}>
      ${features.slice(first, end).map((each, i) => html`<div class="lane" key=${each.feature} style=${{ top: (first + i) * ROW + "px" }}>
        <${Link} to=${links.feature(view.model.model, each.feature, view.segment)} class="name" tabindex="-1">${each.feature}<//>
        <svg height=${ROW - 2} role="img" aria-label=${`${each.feature}: now ${words(each.state)}`}><${Cells} letters=${each.states} />
          </svg></div>`)}
      ${at && html`<div class="cursor ${over ? "over" : ""}" style=${{ top: row * ROW + "px" }}>
        <a class="cell" href=${opens || undefined} role=${opens ? null : "img"} tabindex="0" aria-label=${said} onKeyDown=${move}
          style=${{ left: percent(column / n), width: percent(1 / n) }}></a></div>`}
    </div></div>
    <div class="lane ticks" aria-hidden="true"><span class="name"></span><div>
      ${ticks.map((i) => html`<span style=${{ left: percent((i + 0.5) / n) }} class=${i === 0 ? "first" : i === n - 1 ? "last" : ""}>
      ${moment(axis.ends[i]).replace(" UTC", "")}</span>`)}</div></div>
    <p class="readout" aria-hidden="true">${said || ""}</p>
    <p class="legend muted" aria-hidden="true">${["c", "w", "o", "i"].map((letter) => html`<span><svg class="strip">
      <${Cells} letters=${letter} /></svg>${words(LETTERS[letter])}</span>`)}
      <span>Arrow keys move the cell; Enter opens it. Times are UTC, at the ends of windows.</span></p>
  </div>`;
}
