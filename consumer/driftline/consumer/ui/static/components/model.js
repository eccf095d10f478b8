// What several views say of a model, and of one verdict.
import { html, Links, useContext } from "driftline/dom.js";
import { count, lasting, Num, share, words } from "driftline/format.js";
import { Table } from "driftline/components/layout.js";
import { State } from "driftline/components/state.js";

// How many predictions have their label, and how far labels are behind.
export function Labels({ labels }) {
  if (!labels) return null;
  const { labelled, waiting, expired, end, judged } = labels, all = labelled + waiting + expired;
  return html`<span>labels <${Num} value=${labelled} as=${count} /> of <${Num} value=${all} as=${count} />${all > 0 && html` <span class="muted">(${share(labelled / all)})</span>`}${judged && `, ${lasting(end, judged)} behind`}</span>`;
}

export const Events = ({ row }) =>
  html`<span><${Num} value=${row.events} as=${count} /> events${row.normal_events !== null &&
    html` <span class="muted">of normally <${Num} value=${row.normal_events} as=${count} /></span>`}</span>`;

// Title of every view of one model, and the way between them.
export function ModelHead({ model, row, state, segment, segments, here, to, joint, children }) {
  const links = useContext(Links);
  const few = segments.length <= 10, one = (each) => html`<a href=${to(each)} aria-current=${each === segment ? "page" : null}>${each}</a>`;
  const tab = (name, href) => href && html`<a href=${href} aria-current=${here === name ? "page" : null}>${name}</a>`;
  return html`<div class="title"><h1>${children || model}</h1>${state && html`<${State} state=${state} />`}
    <nav aria-label="views of this model">
      ${tab("features", links.model(model, segment))}${tab("performance", links.performance(model, segment))}${joint && tab("together", links.joint(model))}</nav>
    ${segments.length > 0 && html`<nav aria-label="segments" class="segments">
      <a href=${to(null)} aria-current=${segment ? null : "page"}>whole model</a>${few ? segments.map(one) : html`${segment && one(segment)}
      <details><summary>${segments.length} segments</summary><div>${segments.map(one)}</div></details>`}</nav>`}</div>`;
}

// What stands at a time on every chart of a stream.
export const marksOf = ({ versions, alerts, labels }) => [
  ...(labels?.judged ? [{ at: labels.end, label: "labels to here" }] : []),
  ...versions.slice(1).slice(-8).map(({ version, start }) => ({ at: start, label: `version ${version}` })),
  ...alerts.filter(({ since, status }) => since && status === "firing").slice(0, 3).map(({ since }) => ({ at: since, label: "began" })),
];

export function Counts({ verdict }) {
  const { counts, window } = verdict;
  if (!counts) return null;
  const meanings = { valid: "", missing: "null", absent: "no such field", invalid: "of another type, or not finite", unseen: "a category that the reference has not; part of valid", out_of_range: "beyond the reference's extremes; part of valid" };
  return html`<${Table} caption="Events of the window by kind" head=${["kind", "events", "share", ""]} rows=${Object.entries(counts).map(([name, n]) => [words(name), html`<${Num} value=${n} as=${count} />`, window.events ? share(n / window.events) : "–", html`<span class="muted">${meanings[name] || ""}</span>`])} />`;
}
