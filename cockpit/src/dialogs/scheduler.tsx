// SPDX-License-Identifier: LGPL-2.1-or-later
import { Checkbox, Form, FormGroup, FormSelect, FormSelectOption } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { Gpu, Scheduler } from "../bus/types";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

interface Props {
    gpu: Gpu;
    scheduler: Scheduler;
    close: () => void;
}

export function SchedulerDialog({ gpu, scheduler, close }: Props) {
    const [policy, setPolicy] = useState(scheduler.policy ?? scheduler.supported?.[0] ?? "");
    const [persistent, setPersistent] = useState(false);
    return (
        <ActionDialog title={format(_("Change the scheduler of $0?"), gpu.address)} action={_("Change")} close={close}
            run={() => store.manager.setScheduler(gpu.address, { policy, ...(persistent && { persistent: "yes" }) })}>
            <Form onSubmit={event => event.preventDefault()}>
                <FormGroup label={_("Policy")} fieldId="policy">
                    <FormSelect id="policy" value={policy} onChange={(_event, value) => setPolicy(value)}>
                        {(scheduler.supported ?? []).map(name => <FormSelectOption key={name} value={name} label={name} />)}
                    </FormSelect>
                </FormGroup>
                <Checkbox id="persistent" label={_("Also after a reboot")} isChecked={persistent}
                    onChange={(_event, checked) => setPersistent(checked)} />
            </Form>
        </ActionDialog>
    );
}
