"""Faults of entering and telling: an event skipped, a request answered with another's order."""

from tests.planted.fault import fault

TELLING = (
    fault(
        "reader after the last id alone",
        (
            "app/store/event_log.py",
            '        " AND xid < pg_snapshot_xmin(pg_current_snapshot())"\n        " AND ($4::uuid',
            '        " AND ($4::uuid',
        ),
        tests="tests/store/test_event_log.py",
    ),
    fault(
        "journal without turns",
        (
            "app/store/drafts.py",
            "            await take_turns(connection, order_ids)\n",
            "            pass\n",
        ),
        (
            "app/store/drafts.py",
            '" AND (SELECT count(*) FROM turns) > 0 ORDER BY id FOR UPDATE"',
            '" ORDER BY id FOR UPDATE"',
        ),
        tests="tests/store/test_turns.py",
    ),
    fault(
        "no poll of the log beside a lost doorbell",
        (
            "app/engine/hub.py",
            "self._doorbell.wait(EVENTS, at_most=POLL_SECONDS)",
            "self._doorbell.wait(EVENTS, at_most=3600)",
        ),
        tests="tests/engine/test_lost_doorbell.py",
    ),
    fault(
        "cursor without an era",
        (
            "app/engine/hub.py",
            "        if after.era != head.era or not oldest",
            "        after = Cursor(head.era, after.xid, after.id)\n        if not oldest",
        ),
        tests="tests/engine/test_other_era.py",
    ),
    fault(
        "key of another body answered with the first order",
        (
            "app/store/intake.py",
            'same = row is not None and row["told"] ==',
            'same = row is not None and what == "key" or row is not None and row["told"] ==',
        ),
        tests="tests/store/test_intake.py",
    ),
    fault(
        "events removed above a reader's cursor",
        (
            "app/store/event_log.py",
            "    return min(place for place in places if place.era == current)\n",
            "    return places[0]\n",
        ),
        tests="tests/store/test_retention.py::test_no_event_goes_that_a_reader_has_still_to_read",
    ),
    fault(
        "fingerprint in the order of a set",
        (
            "app/api/order_bodies.py",
            "for name in sorted(body.model_fields_set)}",
            "for name in body.model_fields_set}",
        ),
        tests="tests/api/test_fingerprints.py",
    ),
    fault(
        "orders entered over a connection that was cut",
        (
            "app/store/database.py",
            "        except BaseException:\n            await self.rest()\n            raise\n",
            "        finally:\n            pass\n",
        ),
        (
            "app/store/database.py",
            "        if self._held is not None and _cut(self._held):",
            "        if False:",
        ),
        tests="tests/store/test_kept_connection.py",
    ),
    fault(
        "what is in hand and not yet sent counts as read",
        (
            "app/engine/ring.py",
            " and self.sent == self.cursor else self.sent",
            " else self.sent",
        ),
        tests="tests/engine/test_ring.py",
    ),
    fault(
        "a line that is gone is written to as the server stops",
        (
            "app/api/frames.py",
            "        if not self.disconnected:\n            super().shutdown()\n",
            "        super().shutdown()\n",
        ),
        tests="tests/api/test_partings.py",
    ),
    fault(
        "what begins an upgrade is taken for the order before it",
        (
            "app/api/whole_requests.py",
            "begins = type(asked) is WholeRequest and asked.more_body\n",
            "begins = type(asked) is WholeRequest\n",
        ),
        tests="tests/api/test_whole_requests.py::test_an_upgrade_after_an_order_enters_nothing",
    ),
    fault(
        "an order gets another's terms",
        (
            "app/store/entering.py",
            "            place = places[written] = str(len(places) + 1)\n",
            "            place = places[written] = str(len(places) or 1)\n",
        ),
        tests="tests/store/test_entering.py",
    ),
    fault(
        "an answer is written before what came with the order is known",
        (
            "app/engine/accept.py",
            "    told = tell(entering) if entering.alone else None\n",
            "    told = tell(entering)\n",
        ),
        tests="tests/api/test_confirmed.py",
    ),
)
