// Is the monitor itself well: lag, clocks and who holds them back, late and rejected events, workers.
import { html, Links, useContext } from "driftline/dom.js";
import { bytes, count, lasting, many, Num, Time, words } from "driftline/format.js";
import { AlertItems, Link } from "driftline/components/alerts.js";
import { Empty, Panel, Table } from "driftline/components/layout.js";
import { State } from "driftline/components/state.js";

const whole = (value) => html`<${Num} value=${value} as=${count} />`;
const byReason = (title, found, none) => html`<${Panel} title=${title}>
  ${Object.keys(found).length ? html`<${Table} caption="By reason" head=${["reason", "events"]} rows=${Object.entries(found).map(([name, n]) => [words(name), whole(n)])} />` : html`<${Empty}>${none}<//>`}<//>`;

export function PipelineView({ data }) {
  const links = useContext(Links);
  const lag = data.partitions.reduce((sum, each) => sum + each.lag, 0);
  return html`<div class="title"><h1>Pipeline</h1>${data.available && html`<p class="muted">
    ${many(data.workers.length, "worker")}, ${many(lag, "event")} waiting</p>`}</div>
    ${data.hint && html`<${Empty}>${data.hint}<//>`}
    ${data.held_back.length > 0 && html`<${Panel} title="What holds the clock back"><${AlertItems} rows=${data.held_back} /><//>`}
    ${data.models.length > 0 && html`<${Panel} title="Models" aside="counted since the workers started">
      <${Table} caption="Events and labels of each model" head=${["model", "stage", "counted up to", "behind", "events", "late", "passed over", "labels", "waiting", "joined", "reference"]} rows=${data.models.map((row) => [html`<${Link} to=${links.model(row.model)}>${row.model}<//>`, row.failed ? html`<span class="state critical"><${State} state="critical" quiet=${true} /> has failed</span>` : "runs", html`<${Time} at=${row.watermark} />`, row.watermark && row.last_event && lasting(row.watermark, row.last_event), whole(row.counted), whole(row.late), whole(row.passed_over), whole(row.labels), whole(row.waiting), Object.entries(row.joined).map(([name, n]) => `${words(name)} ${count(n)}`).join(", "), row.reference && html`<code>${row.reference}</code>`])} /><//>`}
    ${data.available && html`<div class="pair-of"><${Panel} title="Workers">
      <${Table} caption="Each worker, by its own metrics" head=${["address", "state", "version", "memory", "CPU seconds"]} rows=${data.workers.map((row) => [row.address, row.error || (row.ready ? "ready" : row.ready === false ? "not ready" : "–"), row.version, html`<${Num} value=${row.memory_bytes} as=${bytes} />`, whole(row.cpu_seconds)])} /><//>
      <${Panel} title="Lag" aside="events that wait">
        ${data.partitions.length ? html`<${Table} caption="Each input partition" head=${["partition", "events", "worker"]} rows=${data.partitions.map((row) => [`${row.topic} ${row.partition}`, whole(row.lag), row.worker])} />` : html`<${Empty}>No input partition is known yet.<//>`}<//>
      ${byReason("Rejected", data.rejected, "No record was rejected.")}${byReason("Skipped", data.skipped, "Nothing was skipped.")}
        </div>`}`;
}
