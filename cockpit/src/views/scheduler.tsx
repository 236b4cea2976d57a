// SPDX-License-Identifier: LGPL-2.1-or-later
import { Button, Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import { useAnswer } from "../bus/hooks";
import type { Gpu } from "../bus/types";
import { SchedulerDialog } from "../dialogs/scheduler";
import { format, _ } from "../parts/text";

export function Scheduler({ gpu, show }: { gpu: Gpu; show: (dialog: ReactNode) => void }) {
    const [changes, setChanges] = useState(0);
    const { value } = useAnswer(manager => manager.scheduler(gpu.address), `${gpu.address} ${changes}`);

    if (!value)
        return null;
    const edit = value.supported?.length
        ? (
            <Button variant="secondary" onClick={() => show(
                <SchedulerDialog gpu={gpu} scheduler={value} close={() => { show(null); setChanges(changes + 1); }} />)}>
                {_("Change the scheduler")}
            </Button>
        )
        : undefined;
    return (
        <Card id="scheduler" component="section">
            <CardHeader actions={edit && { actions: edit, hasNoOffset: true }}>
                <CardTitle component="h2">{_("Scheduler")}</CardTitle>
            </CardHeader>
            <CardBody>
                <p>{value.policy ?? _("not known")}</p>
                {value.timeslice_us !== undefined && <p>{format(_("Time slice: $0 µs"), value.timeslice_us)}</p>}
                {value.note && <small>{value.note}</small>}
            </CardBody>
        </Card>
    );
}
