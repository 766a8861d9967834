"""The status page and `status.json`: values in, text out, the same text for the same values.

`page_html(given)` and `status_json(given)` ask nobody and read no clock: whoever publishes or serves them gathers a
`Given`. Both tell what `assess` makes of it, so that a person and a program never read different things.
"""

from hubdata.report.page.document import MAX_BYTES, page_html
from hubdata.report.page.given import Given, JobNote
from hubdata.report.page.status import assess
from hubdata.report.page.status_json import status_json

__all__ = ["MAX_BYTES", "Given", "JobNote", "assess", "page_html", "status_json"]
