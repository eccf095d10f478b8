// What somebody says of an alert, or of the feature that it is about, with a token.
import { html, useState } from "driftline/dom.js";

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
