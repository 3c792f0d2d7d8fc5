"""PAN-OS logs of Palo Alto firewalls: one row of CSV, whose columns depend on the type.

`1,2026/03/14 15:00:00,007051000012345,TRAFFIC,end,2561,2026/03/14 15:00:00,10.0.0.1,8.8.8.8,...`

Source: PAN-OS administrator's guide, syslog field descriptions.
"""

import csv
from typing import Any, Final

from logopsd.parsing.normalize import attach, take_time
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Record

_UNUSED: Final = ""
_COMMON: Final = (
    *(_UNUSED, "receive_time", "serial", "type", "subtype", _UNUSED, "generated_time"),
)
_FLOW: Final = (
    *("src", "dst", "nat_src", "nat_dst", "rule", "src_user", "dst_user", "application", "vsys"),
    *("src_zone", "dst_zone", "inbound_interface", "outbound_interface", "log_action", _UNUSED),
    *("session_id", "repeat_count", "src_port", "dst_port", "nat_src_port", "nat_dst_port"),
    *("flags", "protocol", "action"),
)
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "TRAFFIC": (
        *_FLOW,
        *("bytes", "bytes_sent", "bytes_received", "packets", "start_time", "elapsed_time"),
        *("category",),
    ),
    "THREAT": (*_FLOW, "misc", "threat_id", "category", "threat_severity", "direction"),
    "SYSTEM": (
        *("vsys", "event_id", "object", _UNUSED, _UNUSED, "module", "threat_severity"),
        *("description",),
    ),
    "CONFIG": (
        *("admin_host", "vsys", "command", "admin", "client", "result", "configuration_path"),
    ),
}
_LEVELS: Final = {
    "informational": "INFO",
    "low": "INFO",
    "medium": "WARN",
    "high": "ERROR",
    "critical": "CRITICAL",
}


def read_palo_alto(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as a PAN-OS log; return whether it is one.

    The message stays whole; the columns that are filled become fields beside it. The time is the
    one at which the firewall made the entry.
    """
    try:
        cells = next(csv.reader([record.msg]))
    except csv.Error:
        return False
    if len(cells) < len(_COMMON) or not cells[2].isalnum() or not cells[3].isalpha():
        return False
    names = (*_COMMON, *_COLUMNS.get(cells[3], ()))
    fields: dict[str, Any] = {
        name: cell for name, cell in zip(names, cells, strict=False) if name and cell
    }
    take_time(record, fields.get("generated_time", ""), stamps)
    if not record.level:
        record.level = _LEVELS.get(fields.get("threat_severity", ""), "")
    attach(record, fields)
    return True
