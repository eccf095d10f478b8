"""`driftline replay`: send the rows of a file to a topic as events."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli.options import BootstrapServers, ConfigFile, InputFile


def replay(
    file: InputFile,
    topic: Annotated[str, typer.Option(help="The topic to send to; it must exist.")],
    config: ConfigFile = None,
    model: Annotated[
        str | None, typer.Option(help="The model that the events name, if they name none.")
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="N", help="Events a second.")] = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="X", help="So many times faster than the events' own times."),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send the rows of a file to a topic as events.

    Rows go as they are to a topic that `sources` of the configuration maps; any other topic gets
    native events, made of columns that are guessed. Records carry the present as their timestamp,
    and the event id as key. Without --rate and --speed as fast as the broker takes them.
    """
    import time

    from driftline.consumer.cli import file_rows
    from driftline.consumer.cli.configured import read_kafka
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.cli.output_log import open_log
    from driftline.consumer.cli.replay_rows import Target, send_rows
    from driftline.consumer.cli.terminal import out, progress
    from driftline.consumer.log.kafka_producer import KafkaProducer, start_producer
    from driftline.producer.replay import Pace

    pace = Pace(time.monotonic, time.sleep, rate, speed)
    rows = file_rows.read(file)
    kafka, whole = read_kafka(config, bootstrap_servers)
    log = open_log(kafka)
    try:
        target = Target.of(topic, log, whole)
        if not target.mapped:
            target.mapping = file_rows.guess(file)
        elif model is not None:
            raise CommandError(f"--model: rows go as they are to {topic}, which sources maps")
        producer = KafkaProducer(start_producer(kafka))
        try:
            with progress("events", file_rows.count(file)) as show:
                sent = send_rows(rows, target, model, producer, pace, show)
        finally:
            producer.close()
    finally:
        log.close()
    out(f"sent {sent:,} event{'' if sent == 1 else 's'} to {topic}")
