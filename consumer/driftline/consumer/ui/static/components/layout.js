// Parts that every view is made of.
import { html, useEffect, useRef, useState } from "driftline/dom.js";

export const Panel = ({ title, aside, class: own = "", children }) =>
  html`<section class="panel ${own}"><header><h2>${title}</h2>${aside && html`<span class="muted">${aside}</span>`}</header>${children}
    </section>`;

// Pairs of a word and what it is; those without a value are left out.
export const Facts = ({ facts }) =>
  html`<dl class="facts">${facts.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

export const Table = ({ head, rows, caption, class: own = "" }) =>
  html`<div class="scroll" tabindex="0" role="group" aria-label=${caption}><table class=${own}><caption>${caption}</caption>
    <thead><tr>${head.map((name) => (name ? html`<th scope="col">${name}</th>` : html`<td></td>`))}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => (i ? html`<td>${cell}</td>` : html`<th scope="row">${cell}</th>`))}</tr>`)}
      </tbody></table></div>`;

const AHEAD = 20;

// Which of many rows of one height can be seen: [ref, first, end]. Few are always drawn, and all are printed.
export function useSeen(total, height, few = 60) {
  const ref = useRef(null);
  const [seen, setSeen] = useState([0, few]);
  useEffect(() => {
    if (total <= few) return;
    let asked = 0;
    const look = () => {
      asked = 0;
      const box = ref.current.getBoundingClientRect();
      const frame = ref.current.parentElement.getBoundingClientRect();
      const top = Math.max(0, frame.top), bottom = Math.min(innerHeight, Math.max(frame.bottom, 0));
      const first = Math.max(0, Math.floor((top - box.top) / height) - AHEAD);
      const end = Math.max(first, Math.ceil((bottom - box.top) / height) + AHEAD);
      setSeen((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    };
    const later = () => (asked ||= requestAnimationFrame(look));
    const all = () => setSeen([0, total]);
    look();
    addEventListener("scroll", later, { capture: true, passive: true });
    addEventListener("resize", later);
    addEventListener("beforeprint", all);
    addEventListener("afterprint", later);
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener("scroll", later, { capture: true });
      removeEventListener("resize", later);
      removeEventListener("beforeprint", all);
      removeEventListener("afterprint", later);
    };
  }, [total, height]);
  return total <= few ? [ref, 0, total] : [ref, Math.min(seen[0], total), Math.min(seen[1], total)];
}
