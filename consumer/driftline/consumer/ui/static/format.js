// Numbers, times and words, as people read them.
import { html } from "driftline/dom.js";

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const NONE = "–";

export const count = (n) => GROUPED.format(n);
export const share = (x) => (x && Math.abs(x) < 0.0005 ? "<\u00a00.1" : (100 * x).toFixed(1)) + "\u00a0%";
export function figure(x) {
  const size = Math.abs(x);
  if (size >= 1000) return GROUPED.format(x);
  if (size >= 100) return x.toFixed(0);
  return x === 0 || size < 0.0005 ? "0" : x.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
// A figure of which the order of magnitude matters, as of a p-value.
export const tiny = (x) => (x && Math.abs(x) < 0.001 ? x.toExponential(1) : figure(x));
export const plain = (x) => String(+x.toFixed(2));
export const bytes = (n) => `${figure(n / 2 ** 20)} MiB`;

// A figure of a record: its text is rounded, its value is not.
export const Num = ({ value, as = figure }) =>
  value === null || value === undefined ? html`<span class="none" title="no value">${NONE}</span>` : html`<data value=${value}>${as(value)}</data>`;

const isRow = (text) => /^\d+$/.test(text);
// Where a window of a record ends, as the axis has it.
export const endOf = ({ end, rows }) => end || (rows ? String(rows[1]) : null);
// Seconds since 1970, or the number of a row.
export const seconds = (text) => (isRow(text) ? +text : Date.parse(text) / 1000);
export function moment(text) {
  if (!text) return NONE;
  if (isRow(text)) return `row ${count(+text)}`;
  const [, day, clock] = /^([\d-]+)T(\d\d:\d\d(?::(?!00)\d\d)?)/.exec(text) || [0, text, ""];
  return `${day} ${clock} UTC`;
}
export const Time = ({ at }) =>
  at && !isRow(at) ? html`<time datetime=${at} title=${`here: ${new Date(at).toLocaleString()}`}>${moment(at)}</time>` : html`<span>${moment(at)}</span>`;
export function lasting(from, to) {
  const span = seconds(to) - seconds(from);
  if (!(span >= 0)) return "";
  if (isRow(from)) return `${count(span)} rows`;
  const [days, hours, minutes] = [Math.floor(span / 86400), Math.floor((span % 86400) / 3600), Math.round((span % 3600) / 60)];
  return days ? `${days} d${hours ? ` ${hours} h` : ""}` : hours ? `${hours} h${minutes ? ` ${minutes} min` : ""}` : `${minutes} min`;
}

export const LETTERS = { o: "ok", w: "warning", c: "critical", i: "insufficient", ".": "no verdict" };
export const WORDS = { insufficient: "too few events", unknown: "not judged yet", firing: "open", false_alarm: "false alarm" };
export const words = (name) => WORDS[name] || name.replaceAll("_", " ");
export const many = (n, one, more = one + "s") => `${count(n)} ${n === 1 ? one : more}`;
export const versionNames = (versions) => Object.keys(versions).map((each) => (each === "__other__" ? "others" : each)).join(", ");
