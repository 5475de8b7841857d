"""What the Python package costs: run it with the interpreter that has it installed.

It prints the lines of the table in ``docs/python.md``. No server is needed.
"""

import logging
import logging.handlers
import os
import queue
import statistics
import subprocess
import sys
import time

import logflux

SECRET = "correct horse battery staple"
MESSAGE = "x" * 256
CALLS = 50_000


def best(times):
    """The median of the lower half: what the machine was busy with otherwise is not counted."""
    return statistics.median(sorted(times)[: max(1, len(times) // 2)])


def per_call(call, *args):
    """Nanoseconds of the calling thread's own time that a call takes."""
    times = []
    for _ in range(10):
        begun = time.thread_time_ns()
        for _ in range(CALLS // 10):
            call(*args)
        times.append((time.thread_time_ns() - begun) / (CALLS // 10))
    return best(times)


def quantiles(call, *args):
    """The median and the 99th percentile of single calls, in nanoseconds."""
    times = []
    for _ in range(CALLS):
        begun = time.perf_counter_ns()
        call(*args)
        times.append(time.perf_counter_ns() - begun)
    times.sort()
    return times[CALLS // 2], times[CALLS * 99 // 100]


def client(**settings):
    """A client that takes everything, and whose server is away."""
    given = {"mode": 128, "queue_size": 10_000_000, "queue_bytes": 2**31, "close_timeout": 0}
    return logflux.Client("https://127.0.0.1:1", "n", "lf_" + "a" * 32, SECRET, **given, **settings)


def importing():
    """Milliseconds that ``import logflux`` takes."""
    code = "import time; b = time.perf_counter(); import logflux; print(time.perf_counter() - b)"
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(20)]
    return best([float(run) * 1e3 for run in runs])


def row(what, value):
    """A line of the table."""
    print(f"| {what} | {value} |", flush=True)


def logging_calls():
    """What a call costs, beside the same call that only passes its string into Rust."""
    with client(min_level="warning", on_drop=lambda _: None) as filtered:
        passed = per_call(filtered.info, MESSAGE)
    with client(on_drop=lambda _: None) as taking:
        taken = per_call(taking.info, MESSAGE)
        median, late = quantiles(taking.info, MESSAGE)
        row("`client.info`, 256 B: the string passed into Rust and not logged", f"{passed:.0f} ns")
        row("the same, logged", f"{taken:.0f} ns: {taken - passed:.0f} ns more")
        row("the same, single calls, median and 99th percentile", f"{median} ns, {late} ns")
        handlers(taking)


def more_than(nothing, logger, handler):
    """Microseconds that a call takes more with a handler than with a ``NullHandler``."""
    logger.addHandler(handler)
    handled = per_call(logger.info, MESSAGE)
    logger.removeHandler(handler)
    return f"{(handled - nothing) / 1e3:.1f} µs more"


def handlers(taking):
    """What a record costs through ``logging``, structlog and loguru, beside other handlers."""
    logger = logging.getLogger("bench")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.NullHandler())
    nothing = per_call(logger.info, MESSAGE)
    ours = logflux.LogfluxHandler(client=taking)
    row("`logging` with a `NullHandler`", f"{nothing / 1e3:.1f} µs")
    row("with `LogfluxHandler`", more_than(nothing, logger, ours))
    waiting = queue.SimpleQueue()
    row("with `QueueHandler`", more_than(nothing, logger, logging.handlers.QueueHandler(waiting)))
    formatted = logging.StreamHandler(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    row("with `StreamHandler` to /dev/null", more_than(nothing, logger, formatted))
    telemetry = opentelemetry_handler()
    if telemetry is not None:
        row("with OpenTelemetry's handler, batched", more_than(nothing, logger, telemetry))
    event = {"event": MESSAGE, "user": 4711, "level": "info"}
    processor = logflux.LogfluxProcessor(taking)
    row("`LogfluxProcessor`, one field", f"{per_call(processor, None, 'info', event) / 1e3:.1f} µs")
    row("`client.info` with one field", f"{fields(taking) / 1e3:.1f} µs")
    loguru_sink(taking)


def fields(taking):
    """Nanoseconds of a call with a field."""

    def call():
        taking.info(MESSAGE, user=4711)

    return per_call(call)


def loguru_sink(taking):
    """What the sink takes more than one that does nothing."""
    try:
        from loguru import logger  # noqa: PLC0415 (it may be missing)
    except ImportError:
        return
    times = []
    for sink in (lambda _message: None, logflux.LoguruSink(taking)):
        logger.remove()
        logger.add(sink, format="{message}")
        times.append(per_call(logger.info, MESSAGE))
    logger.remove()
    row("`LoguruSink`", f"{(times[1] - times[0]) / 1e3:.1f} µs more than a sink that does nothing")


def opentelemetry_handler():
    """The handler of OpenTelemetry's SDK, which exports nothing."""
    try:
        from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler  # noqa: PLC0415
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
    except ImportError:
        return None

    class Nowhere:
        def export(self, _batch):
            return None

        def shutdown(self):
            pass

        def force_flush(self, _timeout_millis=0):
            return True

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(Nowhere()))
    return LoggingHandler(logger_provider=provider)


def sealing_and_opening():
    """How many a second on this machine's cores."""
    sealer = logflux.Sealer(SECRET, mode=128)
    begun = time.perf_counter()
    entries = sealer.seal_many([MESSAGE] * 100_000)
    row(
        "`Sealer.seal_many`, 256 B, mode 128",
        f"{1e5 / (time.perf_counter() - begun):,.0f} a second",
    )
    opener = logflux.Opener(SECRET)
    opener.open(entries[0])
    begun = time.perf_counter()
    opener.open_many(entries)
    row("`Opener.open_many`, of one key", f"{1e5 / (time.perf_counter() - begun):,.0f} a second")
    begun = time.perf_counter()
    logflux.seal(MESSAGE, SECRET)
    row("`seal`, a whole derivation", f"{(time.perf_counter() - begun) * 1e3:.0f} ms")
    unique = logflux.Sealer(SECRET, key_policy=logflux.KeyPolicy.unique())
    entries = [unique.seal(MESSAGE) for _ in range(200)]
    begun = time.perf_counter()
    logflux.open_many(entries, SECRET)
    took = (time.perf_counter() - begun) / len(entries) * 1e3
    row("`open_many`, every entry its own key", f"{took:.1f} ms an entry")


if __name__ == "__main__":
    row("`import logflux`", f"{importing():.1f} ms")
    logging_calls()
    sealing_and_opening()
