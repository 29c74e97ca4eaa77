"""What concerns a study as a whole: its sessions given away as a BIDS data set, and a participant taken out of it."""

from capture.study.bids_export import ExportReport, export_bids
from capture.study.export_ledger import Exported, ExportLedger
from capture.study.withdrawal import Found, Removal, find_participant, remove_participant

__all__ = [
    "ExportLedger",
    "ExportReport",
    "Exported",
    "Found",
    "Removal",
    "export_bids",
    "find_participant",
    "remove_participant",
]
