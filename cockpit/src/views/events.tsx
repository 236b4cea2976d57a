// SPDX-License-Identifier: LGPL-2.1-or-later
import type { ViewProps } from "../app";
import type { BusEvent } from "../bus/types";
import { eventColumns, outcome, subject } from "../model/events";
import { DataTable, type Shown } from "../parts/data-table";
import { Status } from "../parts/status";
import { outcomeText, time, _ } from "../parts/text";

const shown = (): Shown<BusEvent>[] => [
    { key: "time", label: _("Time"), show: event => time(event.time) },
    { key: "event", label: _("Event"), show: event => event.event },
    { key: "subject", label: _("About"), show: event => subject(event) || "–" },
    { key: "outcome", label: _("Outcome"), show: event => <Status code={outcome(event)} text={outcomeText(outcome(event))} /> },
    { key: "text", label: _("Reason"), show: event => event.reason ?? event.text ?? "–" },
];

export function Events({ snapshot }: ViewProps) {
    const rows = snapshot.events.map((event, n) => ({ ...event, key: `${snapshot.events.length - n}` }));
    return (
        <DataTable title={_("Events")} id="events" rows={rows} rowKey={event => event.key} columns={eventColumns}
            shown={shown()} first={{ key: "time", descending: true }}
            empty={_("Nothing has happened since this page was opened")} />
    );
}
