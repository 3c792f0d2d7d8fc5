"""Logs through OpenTelemetry's SDK and its OTLP/HTTP exporter in JSON: argv is URL and count."""

import logging
import sys

from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource


def main() -> None:
    """Send, and wait until all is answered."""
    url, count = sys.argv[1], int(sys.argv[2])
    provider = LoggerProvider(Resource.create({"service.name": "shop", "host.name": "node-7"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=url)))
    log = logging.getLogger("shop.orders")
    log.addHandler(LoggingHandler(logger_provider=provider))
    log.setLevel(logging.INFO)
    for number in range(count):
        log.warning("message %d of %s", number, "jan@example.com", extra={"order_id": number})
    provider.shutdown()


if __name__ == "__main__":
    main()
