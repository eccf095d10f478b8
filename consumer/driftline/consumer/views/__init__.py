"""Read models of what was published: models, features, series, incidents, performance, pipeline.

One fold of verdicts, alerts and marks (`views.fold`), and the answers that everything which shows
them gives (`views.answers`): the page, its API, the report, the demo's board. Who needs alerts
alone, as `driftline alerts` and who is told, goes by `views.alert_index`, which the fold does too.
"""
