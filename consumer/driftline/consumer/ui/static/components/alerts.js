// Alerts as sentences, what somebody says of them, and what a budget says of them: it bounds false alarms, so what fires beyond it is most likely real.
import { html, Links, useContext, useState } from "driftline/dom.js";
import { lasting, many, plain, Time, words } from "driftline/format.js";
import { Shape } from "driftline/components/state.js";

export const Link = ({ to, children, ...rest }) => (to ? html`<a href=${to} ...${rest}>${children}</a>` : html`<span ...${rest}>${children}
  </span>`);

export const period = ({ days, windows }) => (windows !== null ? many(windows, "window") : `${plain(days)}\u00a0d`);
export function budgetText(budget) {
  const { allowed, fired, false: wrong } = budget;
  if (allowed === null) return "No budget for false alarms is set";
  const marked = wrong ? `, ${wrong} of them marked as false` : "";
  return `${many(fired, "alert")} in ${period(budget)}${marked}; the budget allows ${plain(allowed)} false ${allowed === 1 ? "alarm" : "alarms"}`;
}
export const Budget = ({ budget }) =>
  html`<span class="budget ${budget.allowed !== null && budget.false > budget.allowed ? "over" : ""}">
    ${budgetText(budget)}${budget.allowed !== null && budget.since &&
      html`<span class="muted"> (since <${Time} at=${budget.since} />)</span>`}</span>`;

export function Marked({ marks, snoozed }) {
  if (!marks) return null;
  const each = (name, word) =>
    marks[name] && html`<span class="mark">
      ${word} by ${marks[name].who}${marks[name].why && html`: “${marks[name].why}”`}${name === "snooze" && marks.snooze.until &&
        html` until <${Time} at=${marks.snooze.until} />`}</span>`;
  return [each("acknowledge", "acknowledged"), each("snooze", snoozed ? "snoozed" : "was snoozed"), each("false_alarm", "marked as false alarm")];
}

// One alert: the sentence as it was published, and what belongs to it.
export function AlertItem({ row, named = true }) {
  const links = useContext(Links);
  const open = row.status === "firing";
  return html`<li class="alert ${open ? row.severity : "resolved"} ${row.snoozed ? "snoozed" : ""}">
    <${Shape} state=${open ? row.severity : "resolved"} />
    <div><${Link} to=${links.alert(row.alert_id)} class="sentence">${row.summary}<//>
      <p class="meta"><b>${row.severity}${open ? "" : ", resolved"}</b><span>${words(row.kind)}</span>
        ${named && row.segment && html`<span>${row.segment}</span>`}
        ${row.since && html`<span>since <${Time} at=${row.since} />${row.until && html` for ${lasting(row.since, row.until)}`}</span>`}
        <span>${row.budgeted ? "under the budget" : "by a limit of its own"}</span>
        <${Marked} ...${row} /></p></div></li>`;
}

export const AlertItems = ({ rows, most = 1e9, none = "No alert." }) =>
  rows.length
    ? html`<ul class="alerts">${rows.slice(0, most).map((row) => html`<${AlertItem} key=${row.alert_id} row=${row} />`)}</ul>
      ${rows.length > most && html`<p class="muted">and ${many(rows.length - most, "more alert")}</p>`}`
    : html`<p class="empty">${none}</p>`;

// What somebody says of an alert, or of the feature that it is about, with a token.
// `feature`: of which the present can be accepted, where the alert is about one.
export function Act({ row, model, feature, write }) {
  const [action, setAction] = useState(null);
  const [answer, setAnswer] = useState(null);
  const send = async (event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.currentTarget));
    const until = form.hours ? new Date(Date.now() + 3.6e6 * form.hours).toISOString().replace(/\.\d+/, "") : null;
    const problem = action === "accept"
      ? await write(`models/${encodeURIComponent(model)}/acceptances`, form.token, { feature, who: form.who, why: form.why })
      : await write(`alerts/${encodeURIComponent(row.alert_id)}/marks`, form.token, { action, who: form.who, why: form.why || null, until, clear: form.clear === "on" });
    setAnswer(problem || (action === "accept" ? "Accepted. The next pane is compared with what came since." : "Written. It shows here as soon as it is read back."));
    if (!problem) setAction(null);
  };
  const kept = (name) => { try { return sessionStorage.getItem(name) || ""; } catch { return ""; } };
  const names = { ...(row && { acknowledge: "Acknowledge", snooze: "Snooze", false_alarm: "Mark as false alarm" }),
    ...(feature && { accept: "Accept as normal" }) };
  const set = action && row && row.marks && row.marks[action];
  return html`<div class="act">${Object.entries(names).map(([name, text]) => html`<button type="button" aria-expanded=${action === name} onClick=${() => (setAction(action === name ? null : name), setAnswer(null))}>${text}</button>`)}
    ${action && html`<form onSubmit=${send} key=${action}>
      <label>Who <input name="who" required maxlength="200" autocomplete="username" defaultValue=${kept("who")} /></label>
      <label>Why <input name="why" maxlength="500" required=${action === "accept"} /></label>
      ${action === "snooze" && html`<label>For <select name="hours">
        ${[[1, "1 hour"], [4, "4 hours"], [24, "1 day"], [168, "1 week"]].map(([hours, text]) => html`<option value=${hours}>${text}
        </option>`)}</select></label>`}
      ${set && html`<label class="check"><input type="checkbox" name="clear" /> take it back</label>`}
      <label>Token <input name="token" type="password" required autocomplete="current-password" defaultValue=${kept("token")} /></label>
        <button class="go">${names[action]}</button></form>`}
    <p role="status">${answer || ""}</p></div>`;
}
