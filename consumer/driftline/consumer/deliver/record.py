"""The record of an alert as it was published, posted to a webhook: for programs.

Its headers are those of CloudEvents 1.0 in binary mode, as HTTP has them
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md):
`ce-id` is `<alert_id>.<revision>`, by which a receiver knows a repeat.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from driftline.consumer.deliver.incidents import Update
from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.deliver.target import Access, Delivery, Target
from driftline.consumer.deliver.webhook import Webhook

_CLOUD_EVENT = "ce_"  # how names of headers begin in Kafka; `ce-` in HTTP
_AS_THEY_ARE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class RecordTarget(Target):
    """Posts each record."""

    def __init__(self, webhook: Webhook) -> None:
        super().__init__(webhook.host)
        self._webhook = webhook

    def deliveries(self, update: Update) -> list[Delivery]:
        """Return one for each record of the update."""
        return [
            Delivery(
                f"{id(self)}/{record.key}",
                f"{self.name}: {record.name}",
                partial(self._webhook.post, record.value, http_headers(record)),
                update,
            )
            for record in update.records
        ]


def http_headers(record: AlertRecord) -> dict[str, str]:
    """Return the headers of CloudEvents that a record was published with, as HTTP has them."""
    return {
        f"ce-{name.removeprefix(_CLOUD_EVENT)}": quote(value, safe=_AS_THEY_ARE)
        for name, value in record.headers
        if name.startswith(_CLOUD_EVENT)
    }


def open_target(url: str, access: Access) -> RecordTarget:
    """Return what posts records to a URL.

    Raises:
        AlertsError: not a URL.
    """
    return RecordTarget(Webhook(url, access.headers))
