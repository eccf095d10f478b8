// States: each has a word, a shape and a colour.
import { html } from "driftline/dom.js";
import { LETTERS, words } from "driftline/format.js";

const SHAPES = {
  ok: html`<circle cx="6" cy="6" r="3.5" />`,
  warning: html`<path d="M6 1 11.5 11H.5Z" />`,
  critical: html`<path d="M6 0 12 6 6 12 0 6Z" />`,
  insufficient: html`<path d="M1 5h10v2H1Z" />`,
  unknown: html`<circle cx="6" cy="6" r="4" class="hollow" />`,
  resolved: html`<path d="M1 6.5 2.6 5 5 7.4 9.4 2.6 11 4 5 10.2Z" />`,
};

export const Shape = ({ state }) => html`<svg class="shape ${state}" viewBox="0 0 12 12" aria-hidden="true">
  ${SHAPES[state] || SHAPES.unknown}</svg>`;
export const State = ({ state, quiet }) =>
  html`<span class="state ${state}"><${Shape} state=${state} /><span class=${quiet ? "wide" : ""}>${words(state)}</span></span>`;

// Stretches of equal letters, of a text or a list: [letter, first, length].
export function runs(letters) {
  const found = [];
  for (let i = 0, from = 0; i < letters.length; i = from) {
    while (from < letters.length && letters[from] === letters[i]) from++;
    found.push([letters[i], i, from - i]);
  }
  return found;
}

const HEIGHTS = { c: ["0", "100%"], w: ["18%", "64%"] };
export const Cells = ({ letters }) => {
  const one = 100 / letters.length;
  return runs(letters).map(
    ([letter, first, length]) =>
      letter !== "." && html`<rect class=${LETTERS[letter]} x=${first * one + "%"} width=${length * one + "%"} y=${HEIGHTS[letter] ? HEIGHTS[letter][0] : "38%"} height=${HEIGHTS[letter] ? HEIGHTS[letter][1] : "24%"} />`,
  );
};

// The worst state of each window, small: the height tells it as the colour does.
export function Strip({ letters, what }) {
  const found = Object.entries(LETTERS).map(([letter, word]) => [letters.split(letter).length - 1, word]);
  const label = found.filter(([n]) => n).map(([n, word]) => `${n} ${word}`).join(", ");
  return letters && html`<svg class="strip" role="img" aria-label=${`${what}: of ${letters.length} windows ${label}`}>
    <${Cells} letters=${letters} /></svg>`;
}

export function Spark({ recent, limit, state }) {
  const top = Math.max(limit * 1.25, ...recent.map((each) => each || 0)) || 1;
  const step = 100 / Math.max(1, recent.length - 1);
  let path = "", pen = "M";
  recent.forEach((each, i) => {
    if (each === null) return void (pen = "M");
    path += `${pen}${(i * step).toFixed(1)} ${(23 - (22 * Math.max(0, each)) / top).toFixed(1)}`;
    pen = "L";
  });
  const y = 23 - (22 * limit) / top;
  return html`<svg class="spark ${state}" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
    <path class="limit" d=${`M0 ${y}H100`} /><path d=${path} /></svg>`;
}
